//! "Did you mean": the name a user most likely wanted.

/// The candidate closest to `wanted`, if one is close enough to be a slip of the keys: a third of its letters.
/// Of equally close ones the first wins.
pub fn closest<'a>(wanted: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST_NAME: usize = 253;
    if wanted.len() > LONGEST_NAME {
        return None;
    }
    let lower = wanted.to_lowercase();
    let length = lower.chars().count();
    let allowed = length.clamp(3, 90) / 3;
    // So many letters differ at least.
    let near = |candidate: &&str| candidate.chars().count().abs_diff(length) <= allowed;
    candidates
        .filter(near)
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
