//! One cause at a time, with some noise: the attribute, its values and the four counts must come out.

use tracer::value::Size;
use tracer::why::{Attribute, Condition, Feature, Found, Subject, Values};

use crate::synthetic::{Capture, Drawn, Random, Raw, Source, Traffic, capture};

/// Position n of `Traffic::new` and of [`traffic`].
const ID: Subject = Subject::Value(0);
const TENANT: Subject = Subject::Value(1);
const TEXT: Subject = Subject::Value(2);
const BOOLEAN: Subject = Subject::Value(3);
const LIST: Subject = Subject::Value(4);
const UUID: Subject = Subject::Value(5);
const TIME: Subject = Subject::Value(6);
const AMOUNT: Subject = Subject::Value(7);

fn traffic(seed: u64) -> Traffic {
    let mut traffic = Traffic::new(seed, 1000);
    traffic.values.extend([Source::Uuid, Source::Time, Source::Amount]);
    traffic
}

/// Nineteen of twenty requests that the cause holds for are slow, and two of a thousand others.
fn caused(traffic: &Traffic, mut cause: impl FnMut(&Drawn<'_>) -> bool) -> (Capture, Vec<bool>) {
    let mut met = Vec::new();
    let capture = capture(traffic, |random: &mut Random, drawn| {
        met.push(cause(drawn));
        random.chance(if met[met.len() - 1] { 0.95 } else { 0.002 })
    });
    let met = capture.number.iter().map(|number| met[*number]).collect();
    (capture, met)
}

fn one_of(subject: Subject, feature: Feature, codes: &[i64]) -> Condition {
    Condition { attribute: Attribute { subject, feature }, values: Values::OneOf(codes.to_vec()) }
}

fn between(subject: Subject, feature: Feature, from: Option<i64>, to: Option<i64>) -> Condition {
    Condition { attribute: Attribute { subject, feature }, values: Values::Between(from, to) }
}

/// The counts of the rows that the cause holds for.
fn counts(capture: &Capture, met: &[bool]) -> [u64; 4] {
    let count = |slow: bool, wanted: Option<bool>| {
        let rows = capture.slow.iter().zip(met);
        rows.filter(|(s, m)| **s == slow && wanted.is_none_or(|wanted| wanted == **m)).count() as u64
    };
    [count(true, Some(true)), count(true, None), count(false, Some(true)), count(false, None)]
}

fn counts_of(found: &Found) -> [u64; 4] {
    [found.slow_matched, found.slow_total, found.fast_matched, found.fast_total]
}

#[track_caller]
fn check(traffic: &Traffic, cause: impl FnMut(&Drawn<'_>) -> bool, expected: &[Condition]) {
    let (capture, met) = caused(traffic, cause);
    let explained = capture.explain();
    let [found] = &explained.found[..] else { panic!("{:#?}", explained.found) };
    assert_eq!(found.conditions, expected, "{found:#?}");
    assert_eq!(counts_of(found), counts(&capture, &met));
    assert!(found.p_value < 1e-6 && found.explained > 0.6, "{found:#?}");
    assert!(explained.effects.is_empty(), "{:#?}", explained.effects);
}

/// `cause` of the value at this position.
#[track_caller]
fn check_value(subject: Subject, feature: Feature, codes: &[i64], cause: impl Fn(&Raw) -> bool) {
    let Subject::Value(position) = subject else { panic!() };
    check(&traffic(7), |drawn| cause(&drawn.raw[usize::from(position)]), &[one_of(subject, feature, codes)]);
}

#[test]
fn features_of_values() {
    check_value(ID, Feature::LastDigit, &[3, 7], |raw| [3, 7].contains(&(raw.integer() % 10)));
    check_value(ID, Feature::Parity, &[1], |raw| raw.integer() % 2 == 1);
    check_value(ID, Feature::Remainder(7), &[4], |raw| raw.integer() % 7 == 4);
    check_value(ID, Feature::Remainder(16), &[0, 5], |raw| [0, 5].contains(&(raw.integer() % 16)));
    check_value(TEXT, Feature::IsNull, &[1], |raw| *raw == Raw::Null);
    check_value(TEXT, Feature::IsEmpty, &[1], |raw| *raw == Raw::Text(String::new()));
    check_value(BOOLEAN, Feature::Boolean, &[1], |raw| *raw == Raw::Boolean(true));
    check_value(UUID, Feature::UuidVersion, &[7], |raw| *raw == Raw::Uuid(7));
}

#[test]
fn ranges_of_values() {
    let code = |number: f64| i64::from(Size::of_f64(number).code());
    let up_to = |number: f64, size: f64| code(number) <= code(size);
    // 900,000 lies on the scale between two codes: all above the lower one are slow.
    let large = Size::of_f64(900_000.0);
    let next = i64::from(large.code()) + 1;
    check(
        &traffic(1),
        |drawn| code(drawn.raw[0].integer() as f64) >= next,
        &[between(ID, Feature::Magnitude, Some(next), None)],
    );
    check(
        &traffic(2),
        |drawn| drawn.raw[2].text().len() > 17,
        &[between(TEXT, Feature::Length, Some(code(18.0)), None)],
    );
    check(
        &traffic(3),
        |drawn| matches!(drawn.raw[4], Raw::List(n) if n > 30),
        &[between(LIST, Feature::Elements, Some(31), None)],
    );
    check(
        &traffic(4),
        |drawn| matches!(drawn.raw[4], Raw::List(n) if (11..=20).contains(&n)),
        &[between(LIST, Feature::Elements, Some(11), Some(20))],
    );
    let amount = |raw: &Raw| if let Raw::Decimal(amount) = raw { *amount } else { panic!() };
    let (capture, met) = caused(&traffic(5), |drawn| up_to(amount(&drawn.raw[7]), 2.0));
    check_near(&capture, &met, AMOUNT, Feature::Magnitude);
    let ago = |raw: &Raw| if let Raw::SecondsAgo(seconds) = raw { *seconds } else { panic!() };
    let (capture, met) = caused(&traffic(6), |drawn| ago(&drawn.raw[6]) > 86_400);
    check_near(&capture, &met, TIME, Feature::DistanceFromNow);
}

/// Where the limit falls between two values of the sample it may be off by one row on each side.
#[track_caller]
fn check_near(capture: &Capture, met: &[bool], subject: Subject, feature: Feature) {
    let explained = capture.explain();
    let [found] = &explained.found[..] else { panic!("{:#?}", explained.found) };
    assert_eq!(found.conditions[0].attribute, Attribute { subject, feature }, "{found:#?}");
    let near = counts_of(found).iter().zip(counts(capture, met)).all(|(a, b)| a.abs_diff(b) <= 2);
    assert!(near, "{:?} {:?}", counts_of(found), counts(capture, met));
}

#[test]
fn beginnings_and_single_values() {
    // Hashes under a random key: only how many there are is known here.
    let beginning = crate::synthetic::word(17);
    let (capture, met) = caused(&traffic(8), |drawn| drawn.raw[2].text().starts_with(&beginning));
    check_hashes(&capture, &met, TEXT, Feature::Prefix(1), 1);
    let (capture, met) = caused(&traffic(9), |drawn| [5, 23].contains(&drawn.raw[1].integer()));
    check_hashes(&capture, &met, TENANT, Feature::ValueHash, 2);
    let (capture, met) = caused(&traffic(10), |drawn| drawn.raw[1].integer() == 11);
    check_hashes(&capture, &met, TENANT, Feature::ValueHash, 1);
}

#[track_caller]
fn check_hashes(capture: &Capture, met: &[bool], subject: Subject, feature: Feature, hashes: usize) {
    let explained = capture.explain();
    let [found] = &explained.found[..] else { panic!("{:#?}", explained.found) };
    assert_eq!(found.conditions[0].attribute, Attribute { subject, feature }, "{found:#?}");
    let Values::OneOf(codes) = &found.conditions[0].values else { panic!("{found:#?}") };
    assert_eq!((codes.len(), found.conditions.len()), (hashes, 1));
    assert_eq!(counts_of(found), counts(capture, met));
}

#[test]
fn servers_connections_threads() {
    let identity = Feature::Identity;
    let mut traffic = traffic(11);
    traffic.churn = 0.0;
    check(&traffic, |drawn| drawn.facts.server == 1, &[one_of(Subject::Server, identity, &[1])]);
    check(&traffic, |drawn| drawn.facts.connection == 5, &[one_of(Subject::Connection, identity, &[5])]);
    check(&traffic, |drawn| drawn.facts.task.tid == 503, &[one_of(Subject::Thread, identity, &[503])]);
    // One connection is one thread: both are told.
    traffic.own_threads = true;
    let (capture, _) = caused(&traffic, |drawn| [2, 5].contains(&drawn.facts.connection));
    let explained = capture.explain();
    assert_eq!(explained.found[0].conditions, [one_of(Subject::Connection, identity, &[2, 5])]);
    assert_eq!(explained.found[0].same_rows, [one_of(Subject::Thread, identity, &[502, 505])]);
}

#[test]
fn what_came_before() {
    let mut traffic = traffic(12);
    traffic.churn = 0.08;
    check(
        &traffic,
        |drawn| drawn.facts.first_on_connection,
        &[one_of(Subject::Request, Feature::FirstOnConnection, &[1])],
    );
    check(
        &traffic,
        |drawn| drawn.facts.previous.is_some_and(|text| text.0 == 4),
        &[one_of(Subject::Request, Feature::Previous, &[4])],
    );
    check(
        &traffic,
        |drawn| drawn.facts.position >= 3,
        &[between(Subject::Transaction, Feature::Position, Some(3), None)],
    );
    check(
        &traffic,
        |drawn| drawn.facts.position >= 1,
        &[one_of(Subject::Transaction, Feature::Status, &[1])],
    );
    traffic.churn = 0.0;
    let (capture, met) =
        caused(&traffic, |drawn| drawn.facts.idle_before.is_some_and(|idle| idle.0 > 600_000_000));
    let found = &capture.explain().found[0];
    assert_eq!(found.conditions[0].attribute.feature, Feature::IdleBefore);
    // Four steps to a doubling: the limit may lie within one step.
    let [all_slow, slow, ..] = counts(&capture, &met);
    assert!(found.slow_matched.abs_diff(all_slow) <= 4 && found.slow_total == slow, "{found:#?}");
    assert!(found.fast_matched <= 12, "{found:#?}");
}

#[test]
fn a_load_that_comes_and_goes() {
    // Ten times other statements keep the server busy for 0.4 s.
    let mut random = Random(13);
    let mut capture = capture(&traffic(13), |_, _| false);
    let mut met = Vec::new();
    for (facts, slow) in capture.facts.iter_mut().zip(&mut capture.slow) {
        let is_busy = facts.started_at.0 % 3_000_000_000 < 400_000_000;
        facts.load = Some(if is_busy { 6 + random.below(5) } else { random.below(5) });
        *slow = is_busy && random.chance(0.95);
        met.push(is_busy);
    }
    let found = capture.explain().found;
    assert_eq!(found[0].conditions, [between(Subject::Load, Feature::InFlight, Some(6), None)]);
    assert_eq!(counts_of(&found[0]), counts(&capture, &met));
}

#[test]
fn windows_of_time() {
    let mut traffic = traffic(14);
    traffic.values.push(Source::Growing);
    let (capture, met) = caused(&traffic, |drawn| (12.0..15.0).contains(&drawn.second));
    let explained = capture.explain();
    let [found] = &explained.found[..] else { panic!("{:#?}", explained.found) };
    let [Condition { attribute, values: Values::Between(Some(from), Some(to)) }] = &found.conditions[..]
    else {
        panic!("{found:#?}")
    };
    assert_eq!(attribute.subject, Subject::Time);
    assert!((11_900_000_000..12_100_000_000).contains(from), "{from}");
    assert!((14_900_000_000..15_100_000_000).contains(to), "{to}");
    let near = counts_of(found).iter().zip(counts(&capture, &met)).all(|(a, b)| a.abs_diff(b) <= 3);
    assert!(near, "{:?} {:?}", counts_of(found), counts(&capture, &met));
    // Three stalls are three windows.
    let stalls = [4.0..5.0, 12.0..14.0, 25.0..26.0];
    let (capture, _) = caused(&traffic, |drawn| stalls.iter().any(|stall| stall.contains(&drawn.second)));
    let found = capture.explain().found;
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found.iter().all(|found| found.conditions[0].attribute.subject == Subject::Time));
}

/// Each of eight clients waits for one answer while the lock is held: eight slow requests are all there is.
#[test]
fn a_lock_that_holds_every_client() {
    let mut traffic = traffic(19);
    traffic.closed_loop = true;
    traffic.slow_s = 5.0;
    traffic.values.push(Source::Growing);
    let capture = capture(&traffic, |_, drawn| (12.0..13.0).contains(&drawn.second));
    let [found] = &capture.explain().found[..] else { panic!("{:#?}", capture.explain()) };
    assert_eq!(found.conditions[0].attribute.subject, Subject::Time);
    assert!((6..=8).contains(&found.slow_total), "{found:#?}");
    assert_eq!((found.slow_matched, found.fast_matched), (found.slow_total, 0), "{found:#?}");
}

#[test]
fn pairs() {
    let seven = |drawn: &Drawn<'_>| drawn.raw[0].integer() % 10 == 7;
    let digit = one_of(ID, Feature::LastDigit, &[7]);
    let mut traffic = traffic(15);
    traffic.requests = 2000;
    traffic.churn = 0.0;
    check(
        &traffic,
        |drawn| seven(drawn) && drawn.facts.server == 1,
        &[digit.clone(), one_of(Subject::Server, Feature::Identity, &[1])],
    );
    check(
        &traffic,
        |drawn| seven(drawn) && matches!(drawn.raw[4], Raw::List(n) if n > 20),
        &[digit.clone(), between(LIST, Feature::Elements, Some(21), None)],
    );
    check(
        &traffic,
        |drawn| drawn.raw[3] == Raw::Boolean(false) && [2, 5].contains(&drawn.facts.connection),
        &[one_of(BOOLEAN, Feature::Boolean, &[0]), one_of(Subject::Connection, Feature::Identity, &[2, 5])],
    );
}

#[test]
fn two_causes() {
    let mut traffic = traffic(16);
    traffic.requests = 2000;
    traffic.churn = 0.0;
    let (capture, _) = caused(&traffic, |drawn| {
        [3, 7].contains(&(drawn.raw[0].integer() % 10)) || drawn.facts.connection == 4
    });
    let found = capture.explain().found;
    let conditions: Vec<_> = found.iter().flat_map(|found| found.conditions.clone()).collect();
    assert_eq!(
        conditions,
        [one_of(ID, Feature::LastDigit, &[3, 7]), one_of(Subject::Connection, Feature::Identity, &[4])],
        "{found:#?}"
    );
    // The counts of each are those of all rows.
    for (found, cause) in found.iter().zip([
        (|capture, row| [3, 7].contains(&(capture.raw[row][0].integer() % 10)))
            as fn(&Capture, usize) -> bool,
        |capture, row| capture.facts[row].connection == 4,
    ]) {
        let met: Vec<bool> = (0..capture.slow.len()).map(|row| cause(&capture, row)).collect();
        assert_eq!(counts_of(found), counts(&capture, &met));
    }
}

#[test]
fn effects_are_no_causes() {
    // Slow requests with an even number end with an error: the error is told apart from the cause.
    let (mut capture, _) = caused(&traffic(17), |drawn| drawn.raw[0].integer() % 4 == 0);
    for (facts, slow) in capture.facts.iter_mut().zip(&capture.slow) {
        if let Some(outcome) = facts.outcome.as_mut() {
            outcome.error = slow.then(|| tracer::request::ErrorCode::new(b"57014"));
        }
    }
    let explained = capture.explain();
    assert_eq!(explained.found[0].conditions, [one_of(ID, Feature::Remainder(4), &[0])]);
    let [effect] = &explained.effects[..] else { panic!("{:#?}", explained.effects) };
    let Values::OneOf(codes) = &effect.conditions[0].values else { panic!() };
    let error = tracer::why::attribute::error_from_code(codes[0]).unwrap();
    assert_eq!((codes.len(), error.as_str()), (1, "57014"));
    assert_eq!(effect.fast_matched, 0);
    // Those in flight at the end have no outcome.
    let unanswered = capture.facts.iter().filter(|facts| facts.outcome.is_none()).count() as u64;
    assert_eq!(effect.slow_matched, effect.slow_total - unanswered);
}

#[test]
fn what_makes_no_difference() {
    let mut traffic = traffic(18);
    traffic.churn = 0.0;
    let (capture, _) = caused(&traffic, |drawn| drawn.raw[0].integer() % 2 == 0);
    let explained = capture.explain();
    use Subject::{Connection, Server, Thread, Time, Transaction};
    for subject in [Server, Connection, Thread, Time, Transaction] {
        assert!(explained.no_difference.contains(&subject), "{subject:?} {:?}", explained.no_difference);
    }
    // Nothing differs: nothing was tried.
    assert!(!explained.tried.contains(&Subject::Database));
    assert!(!explained.tried.contains(&Subject::Process));
    assert!(explained.tried.contains(&ID));
}
