//! The pictures of the page: the whole model first, then one for each namespace.

use std::io::{self, Write};

use kubestride_diagram::{Drawing, Options, SvgOptions, View};
use kubestride_model::{BoundaryId, BoundaryKind, ElementId, Model};
use serde::Serialize;

use super::escape::Escaped;
use crate::summary::STATES;
use crate::{Report, svg};

/// Pictures of namespaces are left out where all of them together would be larger than this, in bytes.
const MOST_BYTES: usize = 1_500_000;

/// The pictures.
pub(crate) struct Views {
    /// The first one, as SVG for the page.
    pub(crate) first: String,
    /// All of them.
    pub(crate) listed: Vec<Listed>,
}

/// A picture that the reader can choose.
#[derive(Serialize)]
pub(crate) struct Listed {
    id: String,
    name: String,
    /// A sentence about what it shows, where that is not plain.
    note: String,
    elements: usize,
    flows: usize,
    /// Threats by state, in the order of outputs.
    states: [usize; STATES.len()],
    /// SVG; nothing for the first, which is in the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    svg: Option<String>,
}

impl Views {
    /// Draws them.
    pub(crate) fn of(report: &Report<'_>) -> io::Result<Self> {
        let model = report.model;
        if !report.drawn.is_empty() {
            return Self::of_drawn(report);
        }
        let whole = kubestride_diagram::layout(model, &Options::default());
        let first = picture(report, &whole, "Data-flow diagram")?;
        let name = if whole.overview { "Overview of all boundaries" } else { "All of the model" };
        let mut listed = vec![Listed {
            id: "whole".to_owned(),
            name: name.to_owned(),
            note: note(&whole),
            elements: model.elements().len(),
            flows: model.flows().filter(|(_, f)| !f.implicit).count(),
            states: states(report, |_| true),
            svg: None,
        }];
        let namespaces: Vec<BoundaryId> = namespaces(model).collect();
        let mut bytes = 0;
        for boundary in namespaces.iter().filter(|_| namespaces.len() > 1) {
            let drawing =
                kubestride_diagram::layout(model, &Options { view: View::Boundary(*boundary), ..Options::default() });
            let name = format!("Namespace {}", super::data::clean(model.text(model.boundary(*boundary).name)));
            let svg = picture(report, &drawing, &name)?;
            bytes += svg.len();
            if bytes > MOST_BYTES {
                break;
            }
            let inside = |id: ElementId| model.enclosing(model.element(id).boundary).any(|(b, _)| b == *boundary);
            listed.push(Listed {
                id: model.text(model.boundary(*boundary).identity).to_owned(),
                name,
                note: note(&drawing),
                elements: model.elements().filter(|(id, _)| inside(*id)).count(),
                flows: model.flows().filter(|(_, f)| !f.implicit && (inside(f.source) || inside(f.target))).count(),
                states: states(report, inside),
                svg: Some(svg),
            });
        }
        Ok(Self { first, listed })
    }
}

impl Views {
    /// The diagrams that a person drew.
    fn of_drawn(report: &Report<'_>) -> io::Result<Self> {
        let model = report.model;
        let mut views = Self { first: String::new(), listed: Vec::new() };
        for (i, drawn) in report.drawn.iter().enumerate() {
            let name = super::data::clean(&drawn.name);
            let svg = picture(report, &drawn.drawing, &name)?;
            let page = model.boundaries().find(|(_, b)| model.text(b.identity) == drawn.identity).map(|(id, _)| id);
            let inside = |id: ElementId| model.enclosing(model.element(id).boundary).any(|(b, _)| Some(b) == page);
            views.listed.push(Listed {
                id: drawn.identity.clone(),
                name,
                note: String::new(),
                elements: model.elements().filter(|(id, _)| inside(*id)).count(),
                flows: model.flows().filter(|(_, f)| inside(f.source)).count(),
                states: states(report, inside),
                svg: (i > 0).then(|| svg.clone()),
            });
            if i == 0 {
                views.first = svg;
            }
        }
        Ok(views)
    }

    /// Elements, flows and threats of each picture.
    pub(crate) fn table(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(
            out,
            "<details class=\"numbers\"><summary>Numbers of each picture</summary><div class=\"scroll\" tabindex=\"0\" role=\"region\" \
             aria-label=\"Numbers of each picture\"><table class=\"counts\"><thead><tr><th scope=\"col\">Picture</th>\
             <th scope=\"col\">Elements</th><th scope=\"col\">Flows</th>"
        )?;
        for state in STATES {
            write!(out, "<th scope=\"col\">{}</th>", state.title())?;
        }
        writeln!(out, "</tr></thead><tbody>")?;
        for view in &self.listed {
            write!(out, "<tr><th scope=\"row\">{}</th>", Escaped(&view.name))?;
            for number in [view.elements, view.flows].into_iter().chain(view.states) {
                write!(out, "<td>{number}</td>")?;
            }
            writeln!(out, "</tr>")?;
        }
        writeln!(out, "</tbody></table></div></details>")
    }
}

/// Namespaces that hold something.
fn namespaces(model: &Model) -> impl Iterator<Item = BoundaryId> {
    let mut used = vec![false; model.boundaries().len()];
    for (_, element) in model.elements() {
        for (id, boundary) in model.enclosing(element.boundary) {
            if boundary.kind == BoundaryKind::Namespace
                && let Some(used) = used.get_mut(id.index())
            {
                *used = true;
            }
        }
    }
    let boundaries = model.boundaries().map(|(id, _)| id);
    boundaries.zip(used).filter(|(_, used)| *used).map(|(id, _)| id)
}

fn picture(report: &Report<'_>, drawing: &Drawing, title: &str) -> io::Result<String> {
    let options = SvgOptions { style: false, title: title.to_owned(), ..svg::options(report) };
    let mut out = Vec::new();
    kubestride_diagram::svg(drawing, &options, &mut out)?;
    String::from_utf8(out).map_err(io::Error::other)
}

fn note(drawing: &Drawing) -> String {
    if drawing.overview {
        return "The model is too large for one picture: each box is a trust boundary with what it holds. Choose a \
                namespace to see what is in it."
            .to_owned();
    }
    match drawing.left_out {
        0 => String::new(),
        count => format!("{count} elements with the fewest flows found no room in this picture."),
    }
}

/// Threats by state among those that are about an element which is wanted.
fn states(report: &Report<'_>, wanted: impl Fn(ElementId) -> bool) -> [usize; STATES.len()] {
    STATES.map(|state| {
        let threats = report.analysis.threats.iter().filter(|t| t.state() == state);
        threats
            .filter(|t| {
                let (source, target) = t.parties(report.model);
                let mut parties = source.into_iter().chain(target).peekable();
                parties.peek().is_none() || parties.any(&wanted)
            })
            .count()
    })
}
