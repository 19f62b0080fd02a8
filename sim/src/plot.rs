//! Small plots of figures: as SVG for a page, as text for a terminal.

use std::fmt::Write as _;

/// Lines over a common axis.
#[derive(Clone, Debug, Default)]
pub struct Plot {
    /// What it shows.
    pub title: String,
    /// What the horizontal axis counts.
    pub x: String,
    /// Whether equal factors are equally far apart on it.
    pub is_log: bool,
    /// Each with its name.
    pub lines: Vec<(String, Vec<(f64, f64)>)>,
}

/// Pixels of one plot in an SVG.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 260.0;
/// Room for axes and title: left, right, above, below.
const MARGINS: (f64, f64, f64, f64) = (64.0, 150.0, 34.0, 40.0);
/// Distinct for people who do not tell red from green (Okabe, Ito 2008).
const COLOURS: [&str; 6] = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00",
];
/// Marks of the lines on a terminal.
const MARKS: [char; 6] = ['*', 'o', '+', 'x', '#', '@'];
/// Lines that an axis is divided by.
const TICKS: usize = 4;

/// Plots one below the other.
#[must_use]
pub fn svg(plots: &[Plot]) -> String {
    let height = HEIGHT * plots.len() as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    for (place, plot) in plots.iter().enumerate() {
        let _ = writeln!(
            out,
            "<g transform=\"translate(0 {})\">",
            HEIGHT * place as f64
        );
        plot.draw(&mut out);
        out.push_str("</g>\n");
    }
    out.push_str("</svg>\n");
    out
}

impl Plot {
    fn draw(&self, out: &mut String) {
        let (left, right, above, below) = MARGINS;
        let (width, height) = (WIDTH - left - right, HEIGHT - above - below);
        let frame = self.frame();
        let place = |x: f64, y: f64| {
            let (x, y) = frame.place(x, y);
            (left + x * width, above + (1.0 - y) * height)
        };
        let _ = writeln!(
            out,
            "<text x=\"{left}\" y=\"18\" font-weight=\"bold\">{}</text>",
            escape(&self.title)
        );
        for tick in 0..=TICKS {
            let part = tick as f64 / TICKS as f64;
            let y = above + (1.0 - part) * height;
            let value = number(part * frame.y_max);
            let _ = writeln!(out, "<path d=\"M{left} {y:.1}h{width}\" stroke=\"#ddd\"/>");
            let _ = writeln!(
                out,
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
                left - 6.0,
                y + 4.0
            );
            let x = left + part * width;
            let value = number(frame.x_at(part));
            let _ = writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{value}</text>",
                above + height + 16.0
            );
        }
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            left + width / 2.0,
            HEIGHT - 6.0,
            escape(&self.x)
        );
        for (index, (name, points)) in self.lines.iter().enumerate() {
            let colour = COLOURS[index % COLOURS.len()];
            let points = points.iter().map(|&(x, y)| place(x, y));
            let points: Vec<String> = points.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let _ = writeln!(
                out,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>",
                points.join(" ")
            );
            let y = above + 12.0 + 16.0 * index as f64;
            let _ = writeln!(
                out,
                "<text x=\"{}\" y=\"{y}\" fill=\"{colour}\">{}</text>",
                left + width + 10.0,
                escape(name)
            );
        }
    }

    /// For a terminal with so many columns and rows.
    #[must_use]
    pub fn text(&self, columns: usize, rows: usize) -> String {
        let frame = self.frame();
        let mut cells = vec![vec![' '; columns]; rows];
        for (index, (_, points)) in self.lines.iter().enumerate() {
            for &(x, y) in points {
                let (x, y) = frame.place(x, y);
                let column = (x * columns.saturating_sub(1) as f64).round() as usize;
                let row = ((1.0 - y) * rows.saturating_sub(1) as f64).round() as usize;
                if let Some(cell) = cells.get_mut(row).and_then(|row| row.get_mut(column)) {
                    *cell = MARKS[index % MARKS.len()];
                }
            }
        }
        let mut out = format!("{}\n", self.title);
        for (row, cells) in cells.iter().enumerate() {
            let label = match row {
                0 => number(frame.y_max),
                last if last + 1 == rows => number(0.0),
                _ => String::new(),
            };
            let line: String = cells.iter().collect();
            let _ = writeln!(out, "{label:>9} |{}", line.trim_end());
        }
        let (from, to) = (number(frame.x_at(0.0)), number(frame.x_at(1.0)));
        let _ = writeln!(out, "{:>9} +{}", "", "-".repeat(columns));
        let _ = writeln!(
            out,
            "{:>11}{from}{:>width$}",
            "",
            format!("{to} {}", self.x),
            width = columns.saturating_sub(from.len())
        );
        for (index, (name, _)) in self.lines.iter().enumerate() {
            let _ = writeln!(out, "{:>11}{} {name}", "", MARKS[index % MARKS.len()]);
        }
        out
    }

    fn frame(&self) -> Frame {
        let points = || self.lines.iter().flat_map(|(_, points)| points);
        let x_min = points().map(|it| it.0).fold(f64::INFINITY, f64::min);
        let x_max = points().map(|it| it.0).fold(f64::NEG_INFINITY, f64::max);
        let y_max = points().map(|it| it.1).fold(0.0, f64::max);
        Frame {
            x_min: if x_min.is_finite() { x_min } else { 0.0 },
            x_max: if x_max.is_finite() { x_max } else { 1.0 },
            y_max: round_up(y_max),
            is_log: self.is_log && x_min > 0.0,
        }
    }
}

/// What of the plane is shown.
#[derive(Clone, Copy, Debug)]
struct Frame {
    x_min: f64,
    x_max: f64,
    y_max: f64,
    is_log: bool,
}

impl Frame {
    /// Where a point is, as parts of the width and height.
    fn place(self, x: f64, y: f64) -> (f64, f64) {
        let scale = |x: f64| if self.is_log { x.ln() } else { x };
        let width = scale(self.x_max) - scale(self.x_min);
        let part = (scale(x) - scale(self.x_min)) / if width > 0.0 { width } else { 1.0 };
        (part, y / self.y_max)
    }

    /// What the axis says at a part of its length.
    fn x_at(self, part: f64) -> f64 {
        match self.is_log {
            true => (self.x_min.ln() + part * (self.x_max / self.x_min).ln()).exp(),
            false => self.x_min + part * (self.x_max - self.x_min),
        }
    }
}

/// One, two or five times a power of ten.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    let step = steps
        .iter()
        .find(|&&step| value <= step * power * 1.000_001);
    step.unwrap_or(&10.0) * power
}

fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        small if small < 10.0 => format!("{value:.2}"),
        _ => format!("{value:.0}"),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot() -> Plot {
        Plot {
            title: "a < b".to_owned(),
            x: "viewers".to_owned(),
            is_log: true,
            lines: vec![(
                "share".to_owned(),
                vec![(10.0, 0.0), (100.0, 1.0), (1_000.0, 2.0)],
            )],
        }
    }

    #[test]
    fn equal_factors_are_equally_far_apart() {
        let text = plot().text(21, 3);
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows[1], "     2.00 |                    *");
        assert_eq!(rows[2], "          |          *");
        assert_eq!(rows[3], "        0 |*");
    }

    #[test]
    fn an_svg_is_well_formed_and_escapes_its_texts() {
        let svg = svg(&[plot(), plot()]);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("a &lt; b") && !svg.contains("a < b"));
        assert_eq!(svg.matches("<polyline").count(), 2);
    }

    #[test]
    fn nothing_is_a_plot_too() {
        assert!(Plot::default().text(10, 3).contains('+'));
        assert!(!svg(&[Plot::default()]).contains("NaN"));
    }

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, expected) in [
            (0.0, 1.0),
            (0.74, 1.0),
            (1.2, 2.0),
            (37.0, 50.0),
            (500.0, 500.0),
        ] {
            assert!((round_up(value) - expected).abs() < 1e-9, "{value}");
        }
    }
}
