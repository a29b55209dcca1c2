//! A chart of the ratios, as SVG: a bar for each that ours is held against, on a logarithmic scale, so that
//! twice as fast is as far from the line as twice as slow.

use std::fmt::Write;

use super::measure::Row;
use super::report::three_digits;
use crate::question::Question;

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

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    let mut text = |x: f64, y: f64, how: &str, text: &str| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" {how}>{text}</text>");
    };
    let title = question.pick(
        "stillthere: how many times as fast, or as small",
        "stillthere：速度（或体积）是对照的多少倍",
    );
    text(12.0, 24.0, "font-size=\"16\" font-weight=\"bold\"", title);
    text(12.0, 44.0, "fill=\"#555\"", caption);
    let mut bars = String::new();
    let mut y = TOP + LINE;
    for row in rows.iter().filter(|row| !row.against.is_empty()) {
        let (en, zh) = row.work.title();
        text(12.0, y, "font-weight=\"bold\"", question.pick(en, zh));
        y += LINE;
        for (name, theirs) in &row.against {
            let ratio = row.ratio(theirs);
            text(28.0, y, "", name);
            if sound(&ratio) {
                let (from, to) = (x(ratio.min(1.0)), x(ratio.max(1.0)));
                let colour = if ratio < 1.0 { "#c77" } else { "#4a8" };
                let _ = writeln!(
                    bars,
                    "<rect x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{BAR}\" \
                     fill=\"{colour}\"/>",
                    y - BAR + 2.0,
                    to - from,
                );
                text(to + 6.0, y, "", &format!("{} ×", three_digits(ratio)));
            }
            y += LINE;
        }
    }
    let (line, bottom) = (x(1.0), y - LINE + 6.0);
    let _ = writeln!(
        bars,
        "<line x1=\"{line:.1}\" y1=\"{TOP}\" x2=\"{line:.1}\" y2=\"{bottom:.1}\" stroke=\"#333\"/>"
    );
    svg + &bars + "</svg>\n"
}
