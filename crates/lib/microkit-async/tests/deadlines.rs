//! Compares `Deadlines` with a plain list that is searched at each query.
#![forbid(unsafe_code)]

use microkit_async::deadlines::{Deadlines, Full, Id};

/// The xorshift64 generator (Marsaglia, 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

#[test]
fn the_table_does_what_a_sorted_list_does() {
    const PLACES: usize = 7;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut table: Deadlines<u64, PLACES> = Deadlines::new();
    // The entries as (deadline, order of insertion, value), and every `Id` ever returned.
    let mut list: Vec<(u64, usize, u64)> = Vec::new();
    let mut ids: Vec<Id> = Vec::new();
    let (mut full, mut due, mut removed) = (0, 0, 0);
    for step in 0..20_000 {
        match random.below(4) {
            0 | 1 => {
                let deadline = random.below(10);
                match table.insert(deadline, step) {
                    Ok(id) => {
                        assert!(
                            ids.last().is_none_or(|last| *last < id),
                            "{id:?} is given twice"
                        );
                        list.push((deadline, ids.len(), step));
                        ids.push(id);
                    }
                    Err(Full) => {
                        assert_eq!(list.len(), PLACES);
                        full += 1;
                    }
                }
            }
            2 => {
                let now = random.below(10);
                let first = list.iter().filter(|entry| entry.0 <= now).min().copied();
                list.retain(|entry| Some(*entry) != first);
                assert_eq!(table.take_due(now), first.map(|entry| (entry.0, entry.2)));
                due += usize::from(first.is_some());
            }
            _ if !ids.is_empty() => {
                let recent = ids.len().min(20) as u64;
                let order = ids.len() - 1 - random.below(recent) as usize;
                let place = list.iter().position(|entry| entry.1 == order);
                let expect = place.map(|place| list.remove(place).2);
                assert_eq!(table.get(ids[order]).copied(), expect);
                assert_eq!(table.remove(ids[order]), expect);
                removed += usize::from(expect.is_some());
            }
            _ => {}
        }
        assert_eq!(table.len(), list.len());
        assert_eq!(table.is_empty(), list.is_empty());
        assert_eq!(table.earliest(), list.iter().map(|entry| entry.0).min());
    }
    assert!(
        full > 100 && due > 100 && removed > 100,
        "{full} {due} {removed}"
    );
}

#[test]
fn what_is_not_kept_makes_room() {
    let mut table: Deadlines<u32, 4> = Deadlines::new();
    for (deadline, thing) in [(4, 1), (3, 2), (2, 1), (1, 2)] {
        table.insert(deadline, thing).expect("there is room");
    }
    assert_eq!(table.insert(0, 3), Err(Full));
    table.retain(|thing| *thing == 1);
    assert!(table.iter().all(|thing| *thing == 1));
    assert_eq!((table.len(), table.iter().count()), (2, 2));
    assert_eq!(table.take_due(9), Some((2, 1)));
    assert_eq!(table.take_due(9), Some((4, 1)));
    assert_eq!(table.take_due(9), None);
}

#[test]
fn an_id_goes_through_a_message() {
    let mut table: Deadlines<(), 1> = Deadlines::default();
    let id = table.insert(1, ()).expect("there is room");
    assert_eq!(Id::from_word(id.to_word()), id);
    assert_eq!(table.remove(Id::from_word(id.to_word() + 1)), None);
    assert_eq!(table.remove(id), Some(()));
}
