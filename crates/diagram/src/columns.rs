//! Which column each member of a group stands in: sources left, targets right.

/// Columns from 0 for `count` members joined by `(source, target, weight)`. Members that are joined never share one.
pub(crate) fn columns(count: usize, edges: &[(usize, usize, u32)]) -> Vec<usize> {
    let order = order(count, edges);
    let mut position = vec![0; count];
    for (at, member) in order.iter().enumerate() {
        position[*member] = at;
    }
    let mut next = vec![Vec::new(); count];
    let mut incoming = vec![0usize; count];
    for &(a, b, _) in edges {
        // Edges against the order are drawn from right to left.
        let (a, b) = if position[a] < position[b] { (a, b) } else { (b, a) };
        next[a].push(b);
        incoming[b] += 1;
    }
    let mut column = vec![0; count];
    for &member in &order {
        for &to in &next[member] {
            column[to] = column[to].max(column[member] + 1);
        }
    }
    // What has more to its right than to its left moves to the right, next to what it talks to.
    for &member in order.iter().rev() {
        if let Some(first) = next[member].iter().map(|to| column[*to]).min()
            && incoming[member] < next[member].len()
        {
            column[member] = column[member].max(first - 1);
        }
    }
    column
}

/// An order in which few edges point backwards (Eades, Lin and Smyth). Ties go to the lower index.
fn order(count: usize, edges: &[(usize, usize, u32)]) -> Vec<usize> {
    let mut out = vec![0i64; count];
    let mut into = vec![0i64; count];
    let mut touching = vec![Vec::new(); count];
    for (i, &(a, b, weight)) in edges.iter().enumerate() {
        out[a] += i64::from(weight);
        into[b] += i64::from(weight);
        touching[a].push(i);
        touching[b].push(i);
    }
    let mut left = Vec::new();
    let mut right = Vec::new();
    let mut waiting: Vec<usize> = (0..count).collect();
    while !waiting.is_empty() {
        let source = waiting.iter().position(|m| into[*m] == 0);
        let sink = waiting.iter().position(|m| out[*m] == 0);
        let best = (0..waiting.len()).max_by_key(|i| (out[waiting[*i]] - into[waiting[*i]], std::cmp::Reverse(*i)));
        let at = source.or(sink).or(best).unwrap_or(0);
        let member = waiting.remove(at);
        if source.is_none() && sink.is_some() {
            right.push(member);
        } else {
            left.push(member);
        }
        for &i in &touching[member] {
            let (a, b, weight) = edges[i];
            out[a] -= i64::from(weight);
            into[b] -= i64::from(weight);
        }
    }
    left.extend(right.into_iter().rev());
    left
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn a_chain_goes_from_left_to_right() {
        assert_eq!(columns(3, &[(2, 1, 1), (1, 0, 1)]), [2, 1, 0]);
    }

    #[test]
    fn a_cycle_is_cut_where_it_is_weakest() {
        assert_eq!(columns(3, &[(0, 1, 5), (1, 2, 5), (2, 0, 1)]), [0, 1, 2]);
    }

    #[test]
    fn a_store_stands_after_its_last_user() {
        assert_eq!(columns(4, &[(0, 1, 1), (1, 2, 1), (0, 3, 1), (1, 3, 1)])[3], 2);
    }
}
