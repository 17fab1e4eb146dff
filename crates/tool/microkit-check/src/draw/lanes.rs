//! Assigns vertical lines to lanes. Two lines in one lane never overlap.

/// Returns the lane of each vertical line and the number of lanes. `spans` has the two ends of each
/// line. Short lines get the first lanes, next to the boxes.
pub(super) fn assign(spans: &[(u32, u32)]) -> (Vec<usize>, usize) {
    let ordered = |(one, other): (u32, u32)| (one.min(other), one.max(other));
    let mut order: Vec<usize> = (0..spans.len()).collect();
    order.sort_by_key(|index| {
        let (top, bottom) = ordered(spans[*index]);
        (bottom - top, top, *index)
    });
    let mut lanes: Vec<Vec<(u32, u32)>> = Vec::new();
    let mut assigned = vec![0; spans.len()];
    for index in order {
        let (top, bottom) = ordered(spans[index]);
        let is_free = |lane: &Vec<(u32, u32)>| lane.iter().all(|(t, b)| bottom < *t || *b < top);
        let lane = lanes.iter().position(is_free).unwrap_or_else(|| {
            lanes.push(Vec::new());
            lanes.len() - 1
        });
        lanes[lane].push((top, bottom));
        assigned[index] = lane;
    }
    (assigned, lanes.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_lines_are_nearest() {
        assert_eq!(assign(&[]), (vec![], 0));
        assert_eq!(assign(&[(0, 100), (40, 30), (50, 60)]), (vec![1, 0, 0], 2));
    }

    proptest! {
        #[test]
        fn no_two_lines_overlap(spans in proptest::collection::vec((0..50_u32, 0..50_u32), 0..20)) {
            let (lanes, count) = assign(&spans);
            for (one, a) in spans.iter().enumerate() {
                prop_assert!(lanes[one] < count);
                for (other, b) in spans.iter().enumerate().skip(one + 1) {
                    let apart = a.0.max(a.1) < b.0.min(b.1) || b.0.max(b.1) < a.0.min(a.1);
                    prop_assert!(lanes[one] != lanes[other] || apart);
                }
            }
        }
    }
}
