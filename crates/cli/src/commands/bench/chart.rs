//! A chart of the ratios, as SVG: a bar for each that ours is held against, on a logarithmic scale, so that
//! twice as fast is as far from the line as twice as slow.

use super::measure::Row;
use super::report::three_digits;
use crate::question::Question;
use crate::show::svg::{Anchor, Ink, Svg};

const WIDTH: f64 = 960.0;
/// Where the scale begins and how wide it is; names stand before it, ratios behind the bars.
const LEFT: f64 = 340.0;
const SCALE: f64 = 540.0;
const LINE: f64 = 20.0;
const BAR: f64 = 12.0;
const TOP: f64 = 64.0;

/// The chart's text.
pub fn draw(rows: &[Row], caption: &str, question: &Question) -> String {
    let ratios = || rows.iter().flat_map(|row| row.against.iter().map(|(_, r)| row.ratio(r)));
    let sound = |ratio: &f64| ratio.is_finite() && *ratio > 0.0;
    let least = ratios().filter(sound).fold(0.5, f64::min).log2().floor();
    let most = ratios().filter(sound).fold(2.0, f64::max).log2().ceil();
    let x = |ratio: f64| LEFT + SCALE * (ratio.log2() - least) / (most - least);
    let lines = rows.iter().map(|row| row.against.len() + 1).sum::<usize>() as f64;
    let height = TOP + LINE * (lines + 1.0);

    let title = question.pick(
        "stillthere: how many times as fast, or as small",
        "stillthere：速度（或体积）是对照的多少倍",
    );
    let mut svg = Svg::new(WIDTH, height, title, caption);
    svg.text(
        (12.0, 24.0),
        Anchor::Start,
        Ink::Strong,
        "font-size=\"16\" font-weight=\"bold\"",
        title,
    );
    svg.text((12.0, 44.0), Anchor::Start, Ink::Faint, "", caption);
    let mut y = TOP + LINE;
    for row in rows.iter().filter(|row| !row.against.is_empty()) {
        let (en, zh) = row.work.title();
        let title = question.pick(en, zh);
        svg.text((12.0, y), Anchor::Start, Ink::Strong, "font-weight=\"bold\"", title);
        y += LINE;
        for (name, theirs) in &row.against {
            let ratio = row.ratio(theirs);
            svg.text((28.0, y), Anchor::Start, Ink::Strong, "", name);
            if sound(&ratio) {
                let (from, to) = (x(ratio.min(1.0)), x(ratio.max(1.0)));
                let ink = if ratio < 1.0 { Ink::Bad } else { Ink::Good };
                svg.rect((from, y - BAR + 2.0), (to - from, BAR), ink);
                let ratio = format!("{} ×", three_digits(ratio));
                svg.text((to + 6.0, y), Anchor::Start, Ink::Strong, "", &ratio);
            }
            y += LINE;
        }
    }
    svg.line((x(1.0), TOP), (x(1.0), y - LINE + 6.0), Ink::Strong);
    svg.end()
}
