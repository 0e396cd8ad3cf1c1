//! A drawing as plain geometry: what is where, and nothing about how it is written down.

/// A point, in pixels from the upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Point {
    /// To the right.
    pub x: i32,
    /// Down.
    pub y: i32,
}

/// A rectangle with sides along the axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rect {
    /// Left side.
    pub x: i32,
    /// Upper side.
    pub y: i32,
    /// Size to the right.
    pub width: i32,
    /// Size down.
    pub height: i32,
}

impl Rect {
    /// The right side.
    pub fn right(&self) -> i32 {
        self.x + self.width
    }

    /// The lower side.
    pub fn bottom(&self) -> i32 {
        self.y + self.height
    }

    /// The middle.
    pub fn center(&self) -> Point {
        Point { x: self.x + self.width / 2, y: self.y + self.height / 2 }
    }

    /// Whether `other` lies in it completely.
    pub fn contains(&self, other: &Rect) -> bool {
        self.x <= other.x && self.y <= other.y && self.right() >= other.right() && self.bottom() >= other.bottom()
    }

    /// Whether they have more than a side in common.
    pub fn overlaps(&self, other: &Rect) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }

    pub(crate) fn moved(self, x: i32, y: i32) -> Rect {
        Rect { x: self.x + x, y: self.y + y, ..self }
    }
}

/// How an element is drawn, after the notation of STRIDE data-flow diagrams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShapeKind {
    /// An ellipse.
    Process,
    /// A rectangle.
    External,
    /// Two parallel lines.
    Store,
    /// A box that stands for a boundary with all that is in it.
    Summary,
}

/// A trust boundary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its dashed border.
    pub rect: Rect,
    /// Where its name stands.
    pub title: Rect,
    /// Its name, shortened to fit.
    pub name: String,
    /// Its identity in the model.
    pub identity: String,
    /// The kind of border, as in outputs.
    pub kind: &'static str,
    /// The frame around it.
    pub parent: Option<usize>,
}

/// An element, several stores drawn as one, or a boundary drawn as one box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// What it covers.
    pub rect: Rect,
    /// How it is drawn.
    pub kind: ShapeKind,
    /// Its name in at most two lines.
    pub lines: Vec<String>,
    /// A word above the name, such as the kind of store.
    pub caption: String,
    /// All it stands for, one per line.
    pub tooltip: String,
    /// The identities of what it stands for.
    pub identities: Vec<String>,
    /// The frame that holds it.
    pub frame: Option<usize>,
    /// Whether it is drawn small, beside its only user.
    pub small: bool,
}

/// One or more flows from one shape to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Corners from the source to the target. Those that the layout makes run along the axes; those of a person are
    /// pieces of a curve.
    pub points: Vec<Point>,
    /// Position of the shape it starts at.
    pub source: usize,
    /// Position of the shape it ends at.
    pub target: usize,
    /// Whether all of its flows are only possible.
    pub dashed: bool,
    /// What its flows are, one per line.
    pub tooltip: String,
    /// The identities of its flows.
    pub identities: Vec<String>,
}

/// A trust boundary that is drawn as a line and holds nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Border {
    /// Its course.
    pub points: Vec<Point>,
    /// Its name.
    pub name: String,
    /// Where its name stands.
    pub at: Point,
    /// Its identity in the model.
    pub identity: String,
}

/// The text at the end of lines. Lines that reach one shape with the same text share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// What it covers.
    pub rect: Rect,
    /// Positions of the lines that it is about.
    pub lines: Vec<usize>,
    /// The text.
    pub text: String,
}

/// A picture of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drawing {
    /// Size to the right.
    pub width: i32,
    /// Size down.
    pub height: i32,
    /// Boundaries, outer ones first.
    pub frames: Vec<Frame>,
    /// Boundaries that are lines; drawings of people have them.
    pub borders: Vec<Border>,
    /// Elements.
    pub shapes: Vec<Shape>,
    /// Flows.
    pub lines: Vec<Line>,
    /// Texts of flows.
    pub labels: Vec<Label>,
    /// Whether it shows boundaries with counts because the model is too large for one picture.
    pub overview: bool,
    /// How many elements belong to the picture and found no room in it.
    pub left_out: usize,
}
