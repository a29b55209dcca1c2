//! Bars, drawn as SVG in the page: a row a number, its name before it and the number behind.

use maud::{Markup, html};

/// A row of a chart.
pub struct Bar {
    pub name: String,
    pub value: u64,
    /// The value, as people read it.
    pub shown: String,
}

const ROW: u64 = 28;
const BAR: u64 = 16;
/// Where the bars begin, how long the longest is, and how wide all is.
const LEFT: u64 = 170;
const LONGEST: u64 = 250;
const WIDTH: u64 = 640;

/// The chart, of anything but nothing. `id` is its own on the page; who does not see it hears `title` and
/// `tells`.
pub fn bars(id: &str, title: &str, tells: &str, bars: &[Bar]) -> Markup {
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or(0);
    if most == 0 {
        return html! {};
    }
    // Anything that is there can be seen.
    let length = |value: u64| match value {
        0 => 0,
        value => ((u128::from(value) * u128::from(LONGEST)) / u128::from(most)).max(2) as u64,
    };
    let height = ROW * bars.len() as u64;
    let (title_id, tells_id) = (format!("{id}-title"), format!("{id}-tells"));
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {height}")) role="img"
            aria-labelledby=(format!("{title_id} {tells_id}")) {
            title id=(title_id) { (title) }
            desc id=(tells_id) { (tells) }
            line .axis x1=(LEFT) y1="0" x2=(LEFT) y2=(height) {}
            @for (at, bar) in (0u64..).zip(bars) {
                @let middle = at * ROW + ROW / 2;
                text x=(LEFT - 10) y=(middle) dy="0.35em" text-anchor="end" { (bar.name) }
                rect .bar x=(LEFT) y=(middle - BAR / 2) width=(length(bar.value)) height=(BAR) {}
                text .number x=(LEFT + length(bar.value) + 8) y=(middle) dy="0.35em" { (bar.shown) }
            }
        }
    }
}
