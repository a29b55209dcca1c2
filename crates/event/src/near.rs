//! The word that somebody may have meant.

/// Of `words` the one that is so near to `found` that it may have been meant, if one is.
#[must_use]
pub fn nearest_word<'a>(words: &[&'a str], found: &str) -> Option<&'a str> {
    let near = (found.len() / 3).clamp(1, 3);
    let like = words.iter().filter(|word| word.len().abs_diff(found.len()) <= near);
    let (distance, nearest) =
        like.map(|word| (edits(word, found), *word)).min_by_key(|(n, _)| *n)?;
    (distance <= near).then_some(nearest)
}

/// Levenshtein's distance, in bytes.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
