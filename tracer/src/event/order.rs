//! Order within one direction of a connection, by stream position.
