//! Reads a file with quick-xml and nothing else, as the baseline of benchmarks.

use quick_xml::Reader;
use quick_xml::events::Event;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(path)?;
        let mut reader = Reader::from_str(&text);
        let mut events = 0u64;
        while !matches!(reader.read_event()?, Event::Eof) {
            events += 1;
        }
        std::hint::black_box(events);
    }
    Ok(())
}
