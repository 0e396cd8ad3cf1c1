//! What is drawn: the diagrams of a model with their shapes and lines.

use crate::xml::Xml;

/// One diagram.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Surface {
    /// Its GUID.
    pub guid: String,
    /// Its name.
    pub name: String,
    /// Processes, stores, parties, borders and annotations.
    pub shapes: Vec<Shape>,
    /// Flows and line boundaries.
    pub lines: Vec<Line>,
}

/// What shapes and lines have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thing {
    /// Its GUID.
    pub guid: String,
    /// The generic stencil: `GE.P`, `GE.EI`, `GE.DS`, `GE.DF`, `GE.TB.L`, `GE.TB.B` or `GE.A`.
    pub generic: String,
    /// The stencil.
    pub stencil: String,
    /// For people; the stencil's name where nobody gave one.
    pub name: String,
    /// Nothing is generated for it.
    pub out_of_scope: bool,
    /// What is set on it.
    pub properties: Vec<Property>,
    /// Where it begins in the file.
    pub place: usize,
}

/// A value of a shape or line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Property {
    /// As filters write it; empty for properties of the tool itself.
    pub name: String,
    /// For people.
    pub display: String,
    /// The chosen value.
    pub value: String,
    /// Whether it is one of a list.
    pub choice: bool,
}

/// What is drawn with an area.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// What it is.
    pub thing: Thing,
    /// How it is drawn.
    pub kind: ShapeKind,
    /// Its place; without one it has no area.
    pub area: Option<Area>,
}

/// How a shape is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShapeKind {
    /// An ellipse.
    Process,
    /// A rectangle.
    External,
    /// Parallel lines.
    Store,
    /// A dashed rectangle around others.
    Border,
    /// Free text.
    Annotation,
}

/// A rectangle, in the units of the drawing, `y` down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// Left side.
    pub left: f64,
    /// Upper side.
    pub top: f64,
    /// Size to the right.
    pub width: f64,
    /// Size down.
    pub height: f64,
}

impl Area {
    /// Whether a point lies in it or on its border.
    pub fn holds(&self, (x, y): (f64, f64)) -> bool {
        (self.left..=self.left + self.width).contains(&x) && (self.top..=self.top + self.height).contains(&y)
    }

    /// The point in its middle.
    pub fn middle(&self) -> (f64, f64) {
        (self.left + self.width / 2.0, self.top + self.height / 2.0)
    }
}

/// What is drawn from one point to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What it is.
    pub thing: Thing,
    /// Whether it is a trust boundary and not a flow.
    pub is_boundary: bool,
    /// The GUID of the shape that it begins at; zeros for a boundary.
    pub source: String,
    /// The GUID of the shape that it ends at.
    pub target: String,
    /// Its course; without numbers it crosses nothing.
    pub curve: Option<Curve>,
}

/// A quadratic Bézier curve that passes through its handle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curve {
    /// Where it begins.
    pub source: (f64, f64),
    /// The point that it passes halfway.
    pub handle: (f64, f64),
    /// Where it ends.
    pub target: (f64, f64),
}

impl Surface {
    /// Reads a `DrawingSurfaceModel`.
    pub fn read(element: Xml<'_, '_>) -> Self {
        let mut surface = Self { guid: element.child_text("Guid").into_owned(), ..Self::default() };
        surface.name =
            properties(element).into_iter().find(|p| p.display == "Name").map(|p| p.value).unwrap_or_default();
        for list in ["Borders", "Lines"] {
            for pair in element.child(list).into_iter().flat_map(Xml::children) {
                if let Some(value) = pair.child("Value") {
                    surface.add(value);
                }
            }
        }
        surface
    }

    fn add(&mut self, value: Xml<'_, '_>) {
        let written = value.attribute("type").unwrap_or_default();
        let written = written.rsplit_once(':').map_or(written.as_str(), |(_, local)| local);
        let thing = thing(value);
        let kind = match written {
            "StencilEllipse" => ShapeKind::Process,
            "StencilRectangle" if thing.generic == "GE.A" => ShapeKind::Annotation,
            "StencilRectangle" => ShapeKind::External,
            "StencilParallelLines" => ShapeKind::Store,
            "BorderBoundary" => ShapeKind::Border,
            "Connector" | "LineBoundary" => {
                self.lines.push(Line {
                    thing,
                    is_boundary: written == "LineBoundary",
                    source: value.child_text("SourceGuid").into_owned(),
                    target: value.child_text("TargetGuid").into_owned(),
                    curve: curve(value),
                });
                return;
            }
            _ => ShapeKind::Annotation,
        };
        self.shapes.push(Shape { thing, kind, area: area(value) });
    }
}

/// A coordinate that can be drawn.
fn number(element: Xml<'_, '_>, name: &str) -> Option<f64> {
    /// Beyond this nothing is drawn by hand, and sums would lose their units.
    const FARTHEST: f64 = 1e7;
    let value: f64 = element.child(name)?.text().trim().parse().ok()?;
    (value.abs() <= FARTHEST).then_some(value)
}

fn area(element: Xml<'_, '_>) -> Option<Area> {
    Some(Area {
        left: number(element, "Left")?,
        top: number(element, "Top")?,
        width: number(element, "Width")?,
        height: number(element, "Height")?,
    })
}

fn curve(element: Xml<'_, '_>) -> Option<Curve> {
    let point = |x, y| Some((number(element, x)?, number(element, y)?));
    Some(Curve {
        source: point("SourceX", "SourceY")?,
        handle: point("HandleX", "HandleY")?,
        target: point("TargetX", "TargetY")?,
    })
}

fn thing(element: Xml<'_, '_>) -> Thing {
    let properties = properties(element);
    let of = |display: &str| properties.iter().find(|p| p.display == display).map(|p| p.value.clone());
    let header = element.child("Properties").and_then(|p| p.children().next());
    let header = header.map(|h| h.child_text("DisplayName").into_owned()).unwrap_or_default();
    Thing {
        guid: element.child_text("Guid").into_owned(),
        generic: element.child_text("GenericTypeId").into_owned(),
        stencil: element.child_text("TypeId").into_owned(),
        name: of("Name").filter(|n| !n.is_empty()).unwrap_or(header),
        out_of_scope: of("Out Of Scope").is_some_and(|v| v == "true"),
        properties,
        place: element.range().start,
    }
}

fn properties(element: Xml<'_, '_>) -> Vec<Property> {
    let all = element.child("Properties").into_iter().flat_map(Xml::children);
    all.filter_map(|property| {
        let written = property.attribute("type").unwrap_or_default();
        if written.ends_with("HeaderDisplayAttribute") {
            return None;
        }
        let value = property.child("Value")?;
        let choice = written.ends_with("ListDisplayAttribute");
        let text = if choice {
            let selected: usize = property.child_text("SelectedIndex").trim().parse().ok()?;
            value.children().nth(selected)?.text().into_owned()
        } else {
            value.text().into_owned()
        };
        Some(Property {
            name: property.child_text("Name").into_owned(),
            display: property.child_text("DisplayName").into_owned(),
            value: text,
            choice,
        })
    })
    .collect()
}
