use std::collections::HashMap;

use super::item::{Image, Item};

/// Groups of two or more images with the same pixels, in the order of their first items.
pub(super) fn groups(images: &[Image]) -> Vec<Vec<Item>> {
    let mut groups: Vec<Vec<Item>> = Vec::new();
    let mut group_of: HashMap<&[u8], usize> = HashMap::with_capacity(images.len());
    for &(item, pixels) in images {
        let group = *group_of.entry(pixels).or_insert(groups.len());
        match groups.get_mut(group) {
            Some(group) => group.push(item),
            None => groups.push(vec![item]),
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}
