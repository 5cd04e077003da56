//! What type the answer to a command can have. After a join it shows that an answer belongs to an earlier command.
//!
//! Source: the reply types on the command pages of Redis 7, RESP2 and RESP3. An error is an answer to anything.

/// A set of type bytes; null of any form is `_`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape(u16);

/// Type bytes, one bit each.
pub(super) const KINDS: &[u8; 8] = b"+:$*%~_,";

const AGGREGATE: &str = "*%~_";

/// Commands that are not here may be answered by anything.
const SHAPES: &[(&str, &str)] = &[
    (
        "+",
        "DISCARD FLUSHALL FLUSHDB HMSET LSET LTRIM MSET MULTI PFMERGE PSETEX RENAME SELECT SETEX TYPE UNWATCH WATCH",
    ),
    ("+$_", "SET"),
    ("+$*", "PING"),
    (
        "$_",
        "BLMOVE BRPOPLPUSH DUMP ECHO GET GETDEL GETEX GETRANGE GETSET HGET HINCRBYFLOAT INCRBYFLOAT LINDEX LMOVE \
         RANDOMKEY RPOPLPUSH SUBSTR XADD",
    ),
    ("$,_", "GEODIST ZINCRBY ZSCORE"),
    (":$,_", "ZADD"),
    ("$*~_", "HRANDFIELD LPOP RPOP SPOP SRANDMEMBER ZRANDMEMBER"),
    (
        ":",
        "APPEND BITCOUNT BITOP BITPOS COPY DBSIZE DECR DECRBY DEL EXISTS EXPIRE EXPIREAT EXPIRETIME GETBIT HDEL HEXISTS \
         HINCRBY HLEN HSET HSETNX HSTRLEN INCR INCRBY LINSERT LLEN LPUSH LPUSHX LREM MOVE MSETNX PERSIST PEXPIRE \
         PEXPIREAT PEXPIRETIME PFADD PFCOUNT PTTL PUBLISH RENAMENX RPUSH RPUSHX SADD SCARD SDIFFSTORE SETBIT SETNX \
         SETRANGE SINTERCARD SINTERSTORE SISMEMBER SMOVE SPUBLISH SREM STRLEN SUNIONSTORE TOUCH TTL UNLINK XACK XDEL \
         XLEN XTRIM ZCARD ZCOUNT ZDIFFSTORE ZINTERCARD ZINTERSTORE ZLEXCOUNT ZRANGESTORE ZREM ZREMRANGEBYLEX \
         ZREMRANGEBYRANK ZREMRANGEBYSCORE ZUNIONSTORE",
    ),
    (":*_", "LPOS ZRANK ZREVRANK"),
    (
        AGGREGATE,
        "BLMPOP BLPOP BRPOP BZMPOP BZPOPMAX BZPOPMIN EXEC HGETALL HKEYS HMGET HSCAN HVALS KEYS LMPOP LRANGE MGET SCAN \
         SDIFF SINTER SMEMBERS SMISMEMBER SSCAN SUNION TIME XRANGE XREAD XREADGROUP XREVRANGE ZDIFF ZINTER ZMPOP \
         ZMSCORE ZPOPMAX ZPOPMIN ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZSCAN \
         ZUNION",
    ),
];

impl Shape {
    pub(super) const ANY: Self = Self(u16::MAX);

    /// The answers to the command with this name, in capitals.
    pub(super) fn of(name: &str) -> Self {
        let known = SHAPES.iter().find(|(_, names)| names.split(' ').any(|known| known == name));
        known.map_or(Self::ANY, |(kinds, _)| Self(kinds.bytes().fold(0, |set, kind| set | bit(kind))))
    }

    /// An answer of this type may be one.
    pub(super) fn has(self, kind: u8) -> bool {
        self == Self::ANY || self.0 & bit(kind) != 0
    }
}

/// No bit: a type that only modules and scripts answer with.
fn bit(kind: u8) -> u16 {
    KINDS.iter().position(|known| *known == kind).map_or(0, |at| 1 << at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::redis::commands;

    #[test]
    fn answers_have_the_types_of_their_commands() {
        for (name, kind, expected) in [
            ("GET", b'$', true),
            ("GET", b'_', true),
            ("GET", b'+', false),
            ("SET", b'+', true),
            ("SET", b':', false),
            ("INCR", b':', true),
            ("INCR", b'$', false),
            ("HGETALL", b'%', true),
            ("HGETALL", b'*', true),
            ("MGET", b'#', false),
            ("EVAL", b'#', true),
            ("JSON.GET", b'*', true),
        ] {
            assert_eq!(Shape::of(name).has(kind), expected, "{name} {}", char::from(kind));
        }
    }

    #[test]
    fn every_name_is_a_command_and_stands_here_once() {
        let names: Vec<&str> = SHAPES.iter().flat_map(|(_, names)| names.split(' ')).collect();
        let distinct: std::collections::HashSet<&&str> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        for name in names {
            assert!(
                commands::spec(name.as_bytes()).is_some_and(|spec| spec.answers == Shape::of(name)),
                "{name}"
            );
        }
    }
}
