//! What the page's script works on: one JSON document in the page, streamed.
//!
//! It is a contract between this folder and `assets/report/*.js` (see `data.js` for its types) and with nobody else:
//! other programs read the JSON format. Keys are short and everything that several threats share stands in a table, so
//! that ten thousand threats fit into ten megabytes.

mod inert;
mod model;
mod snippets;
mod threats;

use std::io::{self, Write};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::Report;
use crate::html::views::Views;
use crate::json::Each;
use crate::summary::STATES;
use inert::Inert;
use kubestride_analysis::Severity;
use snippets::Snippets;

pub(crate) use snippets::clean;

/// Writes the data. Nothing in it can end the element that holds it.
pub(crate) fn write(report: &Report<'_>, views: &Views, out: &mut dyn Write) -> io::Result<()> {
    let snippets = Snippets::of(report);
    let page = Page { report, views, snippets: &snippets };
    serde_json::to_writer(Inert(out), &page).map_err(io::Error::from)
}

struct Page<'r, 'a> {
    report: &'r Report<'a>,
    views: &'r Views,
    snippets: &'r Snippets,
}

impl Serialize for Page<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Page { report, views, snippets } = *self;
        let mut out = serializer.serialize_struct("Page", 10)?;
        out.serialize_field("severities", &Severity::ALL.map(|s| s.as_str()))?;
        out.serialize_field("states", &STATES.map(|s| s.title()))?;
        out.serialize_field("categories", &kubestride_template::Category::STRIDE.map(|c| c.title()))?;
        out.serialize_field("types", &Each(|| threats::types(report)))?;
        out.serialize_field("boundaries", &Each(|| model::boundaries(report)))?;
        out.serialize_field("elements", &Each(|| model::elements(report)))?;
        out.serialize_field("flows", &Each(|| model::flows(report, snippets)))?;
        out.serialize_field("threats", &Each(|| threats::threats(report, snippets)))?;
        out.serialize_field("files", &Each(|| snippets.files(report)))?;
        out.serialize_field("snippets", &Each(|| snippets.all(report)))?;
        out.serialize_field("views", &views.listed)?;
        out.end()
    }
}
