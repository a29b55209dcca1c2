//! The curves of a sweep: a panel a metric, each on its own scale, above one axis of values.

use super::Swept;
use super::metric::Metric;
use crate::question::Question;
use crate::show::amount::{self, counted};
use crate::show::svg::{Anchor, Ink, Svg};

const WIDTH: f64 = 760.0;
const LEFT: f64 = 96.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 72.0;
const BOTTOM: f64 = 52.0;
/// Of a panel: its title, its curve, and the room beneath.
const TITLE: f64 = 22.0;
const CURVE: f64 = 96.0;
const GAP: f64 = 22.0;

/// The chart's text.
pub fn draw(swept: &Swept<'_>, question: &Question) -> String {
    let parameter = swept.range.parameter.to_string();
    let title = question.pick(format!("What {parameter} does"), format!("{parameter} 的影响"));
    let (name, accounts, as_of) = (&swept.policy.name, swept.accounts(), question.as_of);
    let caption = question.pick(
        format!("{name}, {}, as of {as_of}", counted(accounts, "account")),
        format!("{name}，{} 个账号，截至 {as_of}", amount::count(accounts)),
    );
    let height = TOP + BOTTOM + (TITLE + CURVE + GAP) * swept.metrics.len() as f64;
    let mut svg = Svg::new(WIDTH, height, &title, &describe(swept, &caption, question));
    svg.text(
        (12.0, 26.0),
        Anchor::Start,
        Ink::Strong,
        "font-size=\"16\" font-weight=\"bold\"",
        &title,
    );
    svg.text((12.0, 46.0), Anchor::Start, Ink::Faint, "", &caption);

    let values = &swept.range.values;
    let (first, last) = (values[0], values[values.len() - 1]);
    let span = (last - first).max(1) as f64;
    let wide = WIDTH - LEFT - RIGHT;
    // A single value stands in the middle.
    let x = |value: u64| match first == last {
        true => LEFT + wide / 2.0,
        false => LEFT + wide * (value - first) as f64 / span,
    };
    let ticks = ticks(values);
    let mut top = TOP;
    for metric in swept.metrics {
        panel(&mut svg, swept, *metric, top, &x, &ticks, question);
        top += TITLE + CURVE + GAP;
    }
    let axis = top - GAP;
    for value in &ticks {
        let anchor = match *value {
            _ if first == last => Anchor::Middle,
            value if value == last => Anchor::End,
            value if value == first => Anchor::Start,
            _ => Anchor::Middle,
        };
        svg.text((x(*value), axis + 18.0), anchor, Ink::Faint, "", &swept.range.text(*value));
    }
    let middle = (LEFT + wide / 2.0, axis + 40.0);
    svg.text(middle, Anchor::Middle, Ink::Strong, "", &parameter);
    svg.end()
}

/// The curve of one metric.
fn panel(
    svg: &mut Svg,
    swept: &Swept<'_>,
    metric: Metric,
    top: f64,
    x: &dyn Fn(u64) -> f64,
    ticks: &[u64],
    question: &Question,
) {
    let numbers: Vec<u128> = swept.tallies.iter().map(|tally| metric.of(tally)).collect();
    let (least, most) = ends(&numbers);
    let (upper, lower) = (top + TITLE, top + TITLE + CURVE);
    let title = metric.title(question);
    svg.text((LEFT, top + 12.0), Anchor::Start, Ink::Strong, "font-weight=\"bold\"", &title);
    for value in ticks {
        svg.line((x(*value), upper), (x(*value), lower), Ink::Grid);
    }
    svg.line((LEFT, upper), (WIDTH - RIGHT, upper), Ink::Grid);
    svg.line((LEFT, lower), (WIDTH - RIGHT, lower), Ink::Faint);
    // What never changes runs along the middle.
    let y = |number: u128| match most - least {
        0 => (upper + lower) / 2.0,
        span => lower - CURVE * (number - least) as f64 / span as f64,
    };
    let mut label = |y: f64, text: &str| {
        svg.text((LEFT - 8.0, y + 4.0), Anchor::End, Ink::Faint, "", text);
    };
    let (low, high) = (metric.text(least), metric.text(most));
    label(y(least), &low);
    if most != least {
        // Two that read alike would say nothing.
        let high = if low == high { metric.more_text(most, least) } else { high };
        label(y(most), &high);
    }
    let ink = if metric.is_bad() { Ink::Bad } else { Ink::Good };
    let places: Vec<(f64, f64)> = swept
        .range
        .values
        .iter()
        .zip(&numbers)
        .map(|(value, number)| (x(*value), y(*number)))
        .collect();
    svg.path(&places, ink);
    for ((value, number), place) in swept.range.values.iter().zip(&numbers).zip(places) {
        let says = format!("{}: {}", swept.range.text(*value), amount::count(*number));
        svg.point(place, ink, &says);
    }
}

/// The chart in words.
fn describe(swept: &Swept<'_>, caption: &str, question: &Question) -> String {
    let values = &swept.range.values;
    let [first, last] = [values[0], values[values.len() - 1]].map(|value| swept.range.text(value));
    let curves = swept.metrics.iter().map(|metric| {
        let at = |at: usize| amount::count(metric.of(&swept.tallies[at]));
        let (from, to, title) = (at(0), at(values.len() - 1), metric.title(question));
        question.pick(format!("{title}: {from} to {to}"), format!("{title}：{from} 至 {to}"))
    });
    let curves = curves.collect::<Vec<_>>().join(question.pick("; ", "；"));
    question.pick(
        format!("{caption}. From {first} to {last}: {curves}."),
        format!("{caption}。从 {first} 到 {last}：{curves}。"),
    )
}

/// About six of the values, the first and the last among them.
fn ticks(values: &[u64]) -> Vec<u64> {
    const STEPS: usize = 6;
    let last = values.len() - 1;
    let steps = last.min(STEPS);
    let mut ticks: Vec<u64> = (0..=steps).map(|n| values[last * n / steps.max(1)]).collect();
    ticks.dedup();
    ticks
}

fn ends(numbers: &[u128]) -> (u128, u128) {
    let least = numbers.iter().copied().min().unwrap_or(0);
    (least, numbers.iter().copied().max().unwrap_or(0))
}
