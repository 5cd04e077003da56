//! What the numbers in a finding mean in this capture.

use crate::{
    host::clock::Clock,
    pipeline::Pipeline,
    report::address,
    sql::TextId,
    time::Nanos,
    why::words::{Names, Place},
};

/// Names for the findings of one statement.
pub(super) struct CaptureNames<'a> {
    pub pipeline: &'a Pipeline,
    pub clock: &'a Clock,
    pub show_values: bool,
    /// The statement.
    pub text: TextId,
}

impl Names for CaptureNames<'_> {
    fn place(&self, position: u16) -> Place {
        Place::of(&self.pipeline.texts().get(self.text).positions, position)
    }

    fn server(&self, number: u32) -> String {
        self.pipeline.servers().address(number).map_or_else(|| "an unknown address".to_owned(), address::text)
    }

    fn database(&self, number: u32) -> String {
        self.pipeline.database(number).unwrap_or("unknown").to_owned()
    }

    fn connection(&self, number: u32) -> String {
        number.to_string()
    }

    fn statement_id(&self, text: TextId) -> String {
        format!("{:016x}", self.pipeline.texts().get(text).id)
    }

    fn statement(&self, text: TextId) -> String {
        self.pipeline.texts().get(text).text.clone()
    }

    fn time(&self, at: Nanos) -> String {
        self.clock.rfc3339(at)
    }

    fn shown_hash(&self, hash: u64) -> u64 {
        self.pipeline.texts().extractor().shown_hash(hash)
    }

    fn shown_value(&self, hash: u64) -> Option<&str> {
        self.pipeline.texts().extractor().shown(hash)
    }

    fn shown_prefix(&self, index: u8, code: i64) -> Option<&str> {
        let hash = u16::try_from(code).ok()?;
        self.pipeline.texts().extractor().shown_prefix(usize::from(index), hash)
    }

    fn shows_values(&self) -> bool {
        self.show_values
    }
}
