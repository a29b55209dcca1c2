//! Charts as SVG: text, lines and boxes by what they mean, in colours for a light and for a dark screen,
//! with a title and a description for those who do not see them. The same input gives the same bytes.

use std::fmt::Write;

/// What a shape means, which says its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// What is read first.
    Strong,
    /// Axes and what stands beside them.
    Faint,
    /// Lines behind what is shown.
    Grid,
    /// What is shown.
    Good,
    /// What is shown, where it is worse.
    Bad,
}

/// Where a text stands against its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A chart that is being drawn.
pub struct Svg {
    text: String,
}

/// The colours of [`Ink`], text and strokes apart.
const STYLE: &str = "<style>\n\
    .paper{fill:#fff}.strong{fill:#111}.faint{fill:#555}.grid{stroke:#ddd}\
    .axis{stroke:#333}.good{fill:#177a5b;stroke:#177a5b}.bad{fill:#b44;stroke:#b44}\
    polyline{fill:none!important;stroke-width:2;stroke-linejoin:round}\n\
    @media (prefers-color-scheme: dark){.paper{fill:#16181d}.strong{fill:#f2f2f2}.faint{fill:#aaa}\
    .grid{stroke:#3a3d45}.axis{stroke:#bbb}.good{fill:#5fd0a5;stroke:#5fd0a5}\
    .bad{fill:#f08a8a;stroke:#f08a8a}}\n</style>\n";

impl Svg {
    /// So wide and high, called `title`; `description` says in words what it shows.
    pub fn new(width: f64, height: f64, title: &str, description: &str) -> Svg {
        let (title, description) = (escaped(title), escaped(description));
        let text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" role=\"img\" aria-labelledby=\"title desc\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <title id=\"title\">{title}</title>\n<desc id=\"desc\">{description}</desc>\n{STYLE}\
             <rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n"
        );
        Svg { text }
    }

    /// Text; `more` are further attributes, such as its size.
    pub fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, ink: Ink, more: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let (class, text) = (ink.class(), escaped(text));
        let more = if more.is_empty() { String::new() } else { format!(" {more}") };
        self.push(format_args!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\"{anchor}{more}>{text}</text>"
        ));
    }

    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), ink: Ink) {
        let class = if ink == Ink::Grid { "grid" } else { "axis" };
        let ((x1, y1), (x2, y2)) = (from, to);
        self.push(format_args!(
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        ));
    }

    pub fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), ink: Ink) {
        let class = ink.class();
        self.push(format_args!(
            "<rect class=\"{class}\" stroke=\"none\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{height:.1}\"/>"
        ));
    }

    /// A line through points.
    pub fn path(&mut self, points: &[(f64, f64)], ink: Ink) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let (class, points) = (ink.class(), points.join(" "));
        self.push(format_args!("<polyline class=\"{class}\" points=\"{points}\"/>"));
    }

    /// A point, with what it says to whoever rests on it.
    pub fn point(&mut self, (x, y): (f64, f64), ink: Ink, says: &str) {
        let (class, says) = (ink.class(), escaped(says));
        self.push(format_args!(
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\"><title>{says}</title></circle>"
        ));
    }

    /// The chart's text.
    pub fn end(self) -> String {
        self.text + "</svg>\n"
    }

    fn push(&mut self, shape: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.text, "{shape}");
    }
}

impl Ink {
    fn class(self) -> &'static str {
        match self {
            Ink::Strong => "strong",
            Ink::Faint => "faint",
            Ink::Grid => "grid",
            Ink::Good => "good",
            Ink::Bad => "bad",
        }
    }
}

/// Text that ends no element; what XML cannot hold is shown by another sign.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
