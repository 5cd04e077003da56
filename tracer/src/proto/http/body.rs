//! Where the body of a message ends (RFC 9112, 6 and 7.1).
//!
//! Never keeps a byte; hands the data out where somebody reads it.

/// The size line of a chunk, or a line of a trailer, is not longer.
const LONGEST_LINE: u64 = 64 << 10;

/// The rest of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Body {
    /// Nothing more comes.
    #[default]
    Done,
    /// So many bytes.
    Length(u64),
    /// Chunks.
    Chunked(Chunked),
    /// Everything until the connection is closed.
    UntilClose,
    /// Chunks behind a hole, whose end shows in the last bytes of a transfer.
    Holed([u8; TAIL.len()]),
}

/// The end of the last chunk, without trailer.
const TAIL: &[u8; 7] = b"\r\n0\r\n\r\n";

/// Where in the chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunked {
    /// The size line, so far: digits, the number, other bytes of it.
    Size { digits: u8, size: u64, extension: u64 },
    /// So many bytes of a chunk.
    Data(u64),
    /// The CR LF behind the data: bytes left.
    DataEnd(u8),
    /// Behind the last chunk: bytes of the line so far.
    Trailer(u64),
}

const FIRST: Chunked = Chunked::Size { digits: 0, size: 0, extension: 0 };

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Done,
    More,
    Lost,
}

impl Body {
    pub const CHUNKED: Self = Self::Chunked(FIRST);

    /// Takes bytes off the front of `input`; `data` gets what is content.
    pub fn take(&mut self, input: &mut &[u8], ends_transfer: bool, mut data: impl FnMut(&[u8])) -> Step {
        loop {
            match self {
                Body::Done => return Step::Done,
                Body::UntilClose => {
                    data(std::mem::take(input));
                    return Step::More;
                }
                Body::Holed(tail) => {
                    for byte in input.iter().skip(input.len().saturating_sub(TAIL.len())) {
                        tail.rotate_left(1);
                        if let Some(last) = tail.last_mut() {
                            *last = *byte;
                        }
                    }
                    *input = &[];
                    return if ends_transfer && tail == TAIL { self.done() } else { Step::More };
                }
                Body::Length(left) | Body::Chunked(Chunked::Data(left)) => {
                    let wanted = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                    let (part, rest) = input.split_at(wanted);
                    *input = rest;
                    data(part);
                    *left -= wanted as u64;
                    if *left > 0 {
                        return Step::More;
                    }
                    match self {
                        Body::Chunked(chunked) => *chunked = Chunked::DataEnd(2),
                        _ => return self.done(),
                    }
                }
                Body::Chunked(chunked) => {
                    let Some((byte, rest)) = input.split_first() else { return Step::More };
                    *input = rest;
                    match chunked.step(*byte) {
                        Step::More => {}
                        Step::Done => return self.done(),
                        Step::Lost => return Step::Lost,
                    }
                }
            }
        }
    }

    fn done(&mut self) -> Step {
        *self = Body::Done;
        Step::Done
    }

    /// So many bytes moved unseen.
    pub fn skip(&mut self, skipped: u64, bridges: bool) -> Step {
        if skipped == 0 {
            return Step::More;
        }
        match self {
            Body::Done => Step::Lost,
            Body::UntilClose => Step::More,
            Body::Holed(tail) => {
                *tail = [0; TAIL.len()];
                Step::More
            }
            Body::Length(left) => {
                let Some(rest) = left.checked_sub(skipped) else { return Step::Lost };
                *left = rest;
                if rest == 0 { self.done() } else { Step::More }
            }
            Body::Chunked(chunked) => {
                if let Chunked::Data(left) = chunked
                    && let Some(rest) = left.checked_sub(skipped)
                {
                    *chunked = if rest == 0 { Chunked::DataEnd(2) } else { Chunked::Data(rest) };
                    return Step::More;
                }
                if !bridges {
                    return Step::Lost;
                }
                *self = Body::Holed([0; TAIL.len()]);
                Step::More
            }
        }
    }
}

impl Chunked {
    fn step(&mut self, byte: u8) -> Step {
        match self {
            Chunked::Size { digits, size, extension } => {
                if byte == b'\n' {
                    if *digits == 0 {
                        return Step::Lost;
                    }
                    *self = if *size == 0 { Chunked::Trailer(0) } else { Chunked::Data(*size) };
                    return Step::More;
                }
                let value = char::from(byte).to_digit(16).filter(|_| *extension == 0);
                match value {
                    Some(value) if *digits < 15 => {
                        *digits += 1;
                        *size = *size << 4 | u64::from(value);
                    }
                    None if *digits > 0 && (*extension > 0 || b"\r; \t".contains(&byte)) => *extension += 1,
                    _ => return Step::Lost,
                }
                if *extension > LONGEST_LINE { Step::Lost } else { Step::More }
            }
            Chunked::DataEnd(left) => {
                let expected = if *left == 2 { b'\r' } else { b'\n' };
                if byte != expected {
                    return Step::Lost;
                }
                *left -= 1;
                if *left == 0 {
                    *self = FIRST;
                }
                Step::More
            }
            Chunked::Trailer(line) => {
                match byte {
                    b'\n' if *line == 0 => return Step::Done,
                    b'\n' => *line = 0,
                    b'\r' => {}
                    _ => *line += 1,
                }
                if *line > LONGEST_LINE { Step::Lost } else { Step::More }
            }
            Chunked::Data(_) => Step::More,
        }
    }
}
