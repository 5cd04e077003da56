//! The commands of Redis and Valkey: where their keys stand, and what they do to the session.
//!
//! Source: the key specifications and flags that `COMMAND` and `COMMAND DOCS` of Redis 7 and Valkey 8 tell; for modules the
//! command pages of RedisJSON, RedisBloom, RediSearch and RedisTimeSeries. Case does not matter in a command's name.

use std::sync::LazyLock;

use super::shapes::Shape;

/// Where the keys of a command stand. Argument 0 is the command's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// It has none.
    None,
    /// The first argument.
    First,
    /// The first two.
    FirstTwo,
    /// From this argument to the one so many before the end (1: the last one), each so many behind the one before.
    Range { first: u8, before_end: u8, step: u8 },
    /// An argument says how many there are; they stand behind it.
    Counted { at: u8 },
    /// The first half of what stands behind STREAMS.
    Streams,
    /// The third argument, or all behind KEYS.
    Migrate,
    /// The argument behind a subcommand that has one.
    BehindSubcommand,
}

/// What a command does beside reading and writing keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    /// AUTH: user and password.
    Auth,
    /// HELLO: may hold user and password.
    Hello,
    Select,
    Multi,
    Exec,
    Discard,
    /// One answer for each channel.
    Subscribe,
    /// One answer for each channel, or for each one that is subscribed.
    Unsubscribe,
    Monitor,
    /// PSYNC and SYNC: the connection becomes a stream of writes.
    Replicate,
    /// Its ACK is never answered.
    Replconf,
    Client,
    /// Its parameters are named, their values may be secrets.
    Config,
    /// EVAL: the text of a script.
    Script,
    /// EVALSHA: the hash of a script.
    ScriptHash,
    /// FCALL: the name of a function.
    Function,
    Reset,
    Quit,
    /// A subcommand follows the name.
    Container,
}

/// One command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec {
    /// In capitals.
    pub name: &'static str,
    pub keys: Keys,
    pub role: Role,
    /// It waits by design; XREAD and XREADGROUP only with BLOCK.
    pub blocks: bool,
    /// What can answer it.
    pub answers: Shape,
}

const ALL: Keys = Keys::Range { first: 1, before_end: 1, step: 1 };
const PAIRS: Keys = Keys::Range { first: 1, before_end: 1, step: 2 };
const ALL_BUT_LAST: Keys = Keys::Range { first: 1, before_end: 2, step: 1 };
const FROM_SECOND: Keys = Keys::Range { first: 2, before_end: 1, step: 1 };

type Group = (Keys, Role, bool, &'static str);

const GROUPS: &[Group] = &[
    (
        Keys::None,
        Role::Plain,
        false,
        "ASKING BGREWRITEAOF BGSAVE DBSIZE DEBUG ECHO FAILOVER FLUSHALL FLUSHDB INFO KEYS LASTSAVE LOLWUT PFSELFTEST PING \
         RANDOMKEY READONLY READWRITE REPLICAOF ROLE SAVE SCAN SHUTDOWN SLAVEOF SWAPDB TIME UNWATCH FT.SEARCH \
         FT.AGGREGATE FT.CREATE FT.INFO FT._LIST FT.CURSOR FT.DROPINDEX FT.EXPLAIN FT.PROFILE TS.MGET TS.MRANGE \
         TS.QUERYINDEX TS.MREVRANGE",
    ),
    (Keys::None, Role::Plain, true, "WAIT WAITAOF"),
    (
        Keys::First,
        Role::Plain,
        false,
        "APPEND BITCOUNT BITFIELD BITFIELD_RO BITPOS DECR DECRBY DUMP EXPIRE EXPIREAT EXPIRETIME GEOADD GEODIST GEOHASH \
         GEOPOS GEORADIUS GEORADIUS_RO GEORADIUSBYMEMBER GEORADIUSBYMEMBER_RO GEOSEARCH GET GETBIT GETDEL GETEX GETRANGE \
         GETSET HDEL HEXISTS HEXPIRE HEXPIREAT HEXPIRETIME HGET HGETALL HGETDEL HGETEX HINCRBY HINCRBYFLOAT HKEYS HLEN \
         HMGET HMSET HPERSIST HPEXPIRE HPEXPIREAT HPEXPIRETIME HPTTL HRANDFIELD HSCAN HSET HSETEX HSETNX HSTRLEN HTTL \
         HVALS INCR INCRBY INCRBYFLOAT LINDEX LINSERT LLEN LPOP LPOS LPUSH LPUSHX LRANGE LREM LSET LTRIM MOVE PERSIST \
         PEXPIRE PEXPIREAT PEXPIRETIME PFADD PSETEX PTTL PUBLISH RESTORE RESTORE-ASKING RPOP RPUSH RPUSHX SADD SCARD SET \
         SETBIT SETEX SETNX SETRANGE SISMEMBER SMEMBERS SMISMEMBER SORT SORT_RO SPOP SPUBLISH SRANDMEMBER SREM SSCAN \
         STRLEN SUBSTR TTL TYPE XACK XACKDEL XADD XAUTOCLAIM XCLAIM XDEL XDELEX XLEN XPENDING XRANGE XREVRANGE XSETID \
         XTRIM ZADD ZCARD ZCOUNT ZINCRBY ZLEXCOUNT ZMSCORE ZPOPMAX ZPOPMIN ZRANDMEMBER ZRANGE ZRANGEBYLEX \
         ZRANGEBYSCORE ZRANK ZREM ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREVRANGE ZREVRANGEBYLEX \
         ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE JSON.ARRAPPEND JSON.ARRINDEX JSON.ARRINSERT JSON.ARRLEN JSON.ARRPOP \
         JSON.ARRTRIM JSON.CLEAR JSON.DEL JSON.GET JSON.MERGE JSON.NUMINCRBY JSON.OBJKEYS JSON.OBJLEN JSON.SET \
         JSON.STRAPPEND JSON.STRLEN JSON.TOGGLE JSON.TYPE BF.ADD BF.EXISTS BF.MADD BF.MEXISTS BF.RESERVE BF.INSERT CF.ADD \
         CF.EXISTS CF.DEL TS.ADD TS.CREATE TS.GET TS.INCRBY TS.RANGE TS.REVRANGE TS.INFO TOPK.ADD TOPK.QUERY CMS.INCRBY \
         CMS.QUERY ZDIFFSTORE ZINTERSTORE ZUNIONSTORE VADD VSIM VREM VCARD VEMB",
    ),
    (
        ALL,
        Role::Plain,
        false,
        "DEL EXISTS MGET PFCOUNT PFMERGE SDIFF SDIFFSTORE SINTER SINTERSTORE SUNION SUNIONSTORE TOUCH UNLINK WATCH",
    ),
    (PAIRS, Role::Plain, false, "MSET MSETNX"),
    (ALL_BUT_LAST, Role::Plain, false, "JSON.MGET"),
    (ALL_BUT_LAST, Role::Plain, true, "BLPOP BRPOP BZPOPMAX BZPOPMIN"),
    (
        Keys::FirstTwo,
        Role::Plain,
        false,
        "COPY GEOSEARCHSTORE LCS LMOVE RENAME RENAMENX RPOPLPUSH SMOVE ZRANGESTORE",
    ),
    (Keys::FirstTwo, Role::Plain, true, "BLMOVE BRPOPLPUSH"),
    (FROM_SECOND, Role::Plain, false, "BITOP"),
    (Keys::Counted { at: 1 }, Role::Plain, false, "LMPOP SINTERCARD ZDIFF ZINTER ZINTERCARD ZMPOP ZUNION"),
    (Keys::Counted { at: 2 }, Role::Plain, true, "BLMPOP BZMPOP"),
    (Keys::Streams, Role::Plain, true, "XREAD XREADGROUP"),
    (Keys::Migrate, Role::Plain, false, "MIGRATE"),
    (Keys::Counted { at: 2 }, Role::Script, false, "EVAL EVAL_RO"),
    (Keys::Counted { at: 2 }, Role::ScriptHash, false, "EVALSHA EVALSHA_RO"),
    (Keys::Counted { at: 2 }, Role::Function, false, "FCALL FCALL_RO"),
    (ALL, Role::Subscribe, false, "SUBSCRIBE PSUBSCRIBE SSUBSCRIBE"),
    (ALL, Role::Unsubscribe, false, "UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE"),
    (Keys::BehindSubcommand, Role::Container, false, "OBJECT XGROUP XINFO"),
    (
        Keys::None,
        Role::Container,
        false,
        "ACL CLUSTER COMMAND COMMANDLOG FUNCTION LATENCY MEMORY MODULE PUBSUB SCRIPT SENTINEL SLOWLOG",
    ),
    (Keys::None, Role::Client, false, "CLIENT"),
    (Keys::None, Role::Config, false, "CONFIG"),
    (Keys::None, Role::Auth, false, "AUTH"),
    (Keys::None, Role::Hello, false, "HELLO"),
    (Keys::None, Role::Select, false, "SELECT"),
    (Keys::None, Role::Multi, false, "MULTI"),
    (Keys::None, Role::Exec, false, "EXEC"),
    (Keys::None, Role::Discard, false, "DISCARD"),
    (Keys::None, Role::Monitor, false, "MONITOR"),
    (Keys::None, Role::Replicate, false, "PSYNC SYNC"),
    (Keys::None, Role::Replconf, false, "REPLCONF"),
    (Keys::None, Role::Reset, false, "RESET"),
    (Keys::None, Role::Quit, false, "QUIT"),
];

/// Subcommands that are shown. Anything else in their place may be a mistake that holds a secret.
const SUBCOMMANDS: &str = "CAT DELUSER DRYRUN GENPASS GETUSER LIST LOAD LOG SAVE SETUSER USERS WHOAMI HELP CACHING GETNAME \
     GETREDIR ID INFO KILL NO-EVICT NO-TOUCH PAUSE REPLY SETINFO SETNAME TRACKING TRACKINGINFO UNBLOCK UNPAUSE CAPA \
     IMPORT-SOURCE ADDSLOTS ADDSLOTSRANGE BUMPEPOCH COUNT-FAILURE-REPORTS COUNTKEYSINSLOT DELSLOTS DELSLOTSRANGE FAILOVER \
     FLUSHSLOTS FORGET GETKEYSINSLOT KEYSLOT LINKS MEET MYID MYSHARDID NODES REPLICAS REPLICATE RESET SAVECONFIG \
     SET-CONFIG-EPOCH SETSLOT SHARDS SLAVES SLOTS SLOT-STATS COUNT DOCS GETKEYS GETKEYSANDFLAGS GET SET RESETSTAT REWRITE \
     DELETE DUMP FLUSH RESTORE STATS DOCTOR GRAPH HISTOGRAM HISTORY LATEST MALLOC-STATS PURGE USAGE LOADEX UNLOAD \
     ENCODING FREQ IDLETIME REFCOUNT CHANNELS NUMPAT NUMSUB SHARDCHANNELS SHARDNUMSUB DEBUG EXISTS LEN CREATE \
     CREATECONSUMER DELCONSUMER DESTROY SETID CONSUMERS GROUPS STREAM MASTER MASTERS SENTINELS MONITOR CKQUORUM \
     GET-MASTER-ADDR-BY-NAME REMOVE SHOW";

/// Longest name in the table.
const LONGEST: usize = 24;
/// Places in the table: a power of two, several for each name.
const PLACES: usize = 2048;

/// A name in capitals, filled up with zeros.
type Name = [u64; LONGEST / 8];

struct Table<T> {
    places: Vec<Option<(Name, T)>>,
}

impl<T: Copy> Table<T> {
    fn new(entries: impl Iterator<Item = (&'static str, T)>) -> Self {
        let mut places = vec![None; PLACES];
        for (name, entry) in entries {
            let Some(key) = key(name.as_bytes()) else { continue };
            let mut at = place(&key);
            while matches!(places.get(at), Some(Some(_))) {
                at = (at + 1) % PLACES;
            }
            if let Some(free) = places.get_mut(at) {
                *free = Some((key, entry));
            }
        }
        Self { places }
    }

    #[inline]
    fn get(&self, name: &[u8]) -> Option<&T> {
        let key = key(name)?;
        let mut at = place(&key);
        // There is always a free place.
        while let Some(Some((other, entry))) = self.places.get(at) {
            if *other == key {
                return Some(entry);
            }
            at = (at + 1) % PLACES;
        }
        None
    }
}

/// None: too long for any name.
#[inline]
fn key(name: &[u8]) -> Option<Name> {
    let mut bytes = [0; LONGEST];
    bytes.get_mut(..name.len())?.copy_from_slice(name);
    bytes.make_ascii_uppercase();
    let (words, _) = bytes.as_chunks::<8>();
    let mut key = [0; LONGEST / 8];
    for (word, bytes) in key.iter_mut().zip(words) {
        *word = u64::from_le_bytes(*bytes);
    }
    Some(key)
}

#[inline]
fn place(key: &Name) -> usize {
    let mixed = key.iter().fold(0u64, |mixed, word| (mixed ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    usize::try_from(mixed >> (64 - PLACES.trailing_zeros())).unwrap_or(0)
}

static COMMANDS: LazyLock<Table<Spec>> = LazyLock::new(|| {
    let specs = GROUPS.iter().flat_map(|(keys, role, blocks, names)| {
        names.split(' ').map(|name| Spec {
            name,
            keys: *keys,
            role: *role,
            blocks: *blocks,
            answers: Shape::of(name),
        })
    });
    Table::new(specs.map(|spec| (spec.name, spec)))
});

static KNOWN_SUBCOMMANDS: LazyLock<Table<&'static str>> =
    LazyLock::new(|| Table::new(SUBCOMMANDS.split(' ').map(|name| (name, name))));

/// What is known of a command. None: not in the table.
#[inline]
pub(super) fn spec(name: &[u8]) -> Option<&'static Spec> {
    COMMANDS.get(name)
}

/// A subcommand that may be shown, in capitals.
pub(super) fn subcommand(name: &[u8]) -> Option<&'static str> {
    KNOWN_SUBCOMMANDS.get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case() {
        for (name, expected) in [
            ("get", Some(Keys::First)),
            ("GeoRadiusByMember_RO", Some(Keys::First)),
            ("MSET", Some(PAIRS)),
            ("xread", Some(Keys::Streams)),
            ("RESTORE-ASKING", Some(Keys::First)),
            ("GETT", None),
            ("", None),
            ("A_NAME_LONGER_THAN_ANY_COMMAND_HAS", None),
        ] {
            assert_eq!(spec(name.as_bytes()).map(|spec| spec.keys), expected, "{name}");
        }
        assert_eq!(subcommand(b"setuser"), Some("SETUSER"));
        assert_eq!(subcommand(b"hunter"), None);
    }

    #[test]
    fn the_table_has_every_name_once() {
        let names: Vec<&str> = GROUPS.iter().flat_map(|group| group.3.split(' ')).collect();
        let distinct: std::collections::HashSet<&&str> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        assert!(names.iter().all(|name| name.len() <= LONGEST && spec(name.as_bytes()).is_some()));
        assert!(SUBCOMMANDS.split(' ').all(|name| name.len() <= LONGEST && !name.is_empty()));
    }
}
