//! A short notation for BSON documents: `{find: "users", filter: {age: {$gt: 5}}, $db: "shop"}`.
//!
//! Values: whole numbers (int32), numbers with a point (double), `"text"`, `true`, `false`, `null`, documents, arrays, and
//! `word(argument)`: `long`, `date` and `timestamp` with a number, `oid`, `uuid`, `bytes`, `decimal` with hex digits, `regex` with a text,
//! `repeat(N)` for a text of N characters, `max()`.

pub struct Reader<'a>(&'a [u8]);

/// The first document of a text, and what follows it.
pub fn split(text: &str) -> (Vec<u8>, &str) {
    let mut reader = Reader(text.as_bytes());
    let (_, bytes) = reader.value();
    let rest = reader.0.len();
    (bytes, &text[text.len() - rest..])
}

pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn counted(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_le_bytes(), bytes].concat()
}

fn text(text: &[u8]) -> Vec<u8> {
    counted(&[text, &[0]].concat())
}

impl<'a> Reader<'a> {
    fn space(&mut self) {
        self.0 = self.0.trim_ascii_start();
    }

    fn until(&mut self, end: u8) -> &'a [u8] {
        let at = self.0.iter().position(|byte| *byte == end).unwrap();
        let (head, rest) = self.0.split_at(at);
        self.0 = &rest[1..];
        head
    }

    fn takes(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.0.first() == Some(&byte);
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    /// Type and bytes.
    pub fn value(&mut self) -> (u8, Vec<u8>) {
        if self.takes(b'{') {
            return (3, self.elements(b'}'));
        }
        if self.takes(b'[') {
            return (4, self.elements(b']'));
        }
        if self.takes(b'"') {
            return (2, text(self.until(b'"')));
        }
        let end = self.0.iter().position(|byte| b",}]( |".contains(byte)).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        let word = std::str::from_utf8(word).unwrap();
        if self.takes(b'(') {
            let argument = std::str::from_utf8(self.until(b')')).unwrap();
            return Self::of_word(word, argument);
        }
        match word {
            "true" => (8, vec![1]),
            "false" => (8, vec![0]),
            "null" => (10, vec![]),
            _ if word.contains('.') => (1, word.parse::<f64>().unwrap().to_le_bytes().to_vec()),
            _ => (16, word.parse::<i32>().unwrap().to_le_bytes().to_vec()),
        }
    }

    fn of_word(word: &str, argument: &str) -> (u8, Vec<u8>) {
        let number = || argument.parse::<i64>().unwrap();
        match word {
            "long" => (18, number().to_le_bytes().to_vec()),
            "date" => (9, number().to_le_bytes().to_vec()),
            "timestamp" => (17, (number() << 32).to_le_bytes().to_vec()),
            "oid" => (7, hex(argument)),
            "uuid" => (5, [&[16, 0, 0, 0, 4][..], &hex(argument)].concat()),
            "bytes" => {
                let bytes = hex(argument);
                let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
                (5, [&length[..], &[0], &bytes].concat())
            }
            "payload" => {
                let length = u32::try_from(argument.len()).unwrap().to_le_bytes();
                (5, [&length[..], &[0], argument.as_bytes()].concat())
            }
            "decimal" => (19, hex(argument)),
            "regex" => (11, [argument.as_bytes(), b"\0i\0"].concat()),
            "repeat" => (2, text(&vec![b'v'; argument.parse().unwrap()])),
            "max" => (127, vec![]),
            _ => panic!("no such value: {word}"),
        }
    }

    fn elements(&mut self, end: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut index = 0;
        while !self.takes(end) {
            let name = if end == b'}' {
                self.space();
                if self.takes(b'"') {
                    let name = self.until(b'"').to_vec();
                    assert!(self.takes(b':'));
                    name
                } else {
                    self.until(b':').to_vec()
                }
            } else {
                index.to_string().into_bytes()
            };
            index += 1;
            let (kind, value) = self.value();
            bytes.push(kind);
            bytes.extend(name);
            bytes.push(0);
            bytes.extend(value);
            self.takes(b',');
        }
        let length = u32::try_from(bytes.len() + 5).unwrap();
        [&length.to_le_bytes()[..], &bytes, &[0]].concat()
    }
}
