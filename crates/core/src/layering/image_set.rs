//! Sets of images by number.

/// A set of images, each by its number in the planner's order.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ImageSet(Vec<u64>);

impl ImageSet {
    pub(super) fn insert(&mut self, image: usize) {
        let word = image / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (image % 64);
    }

    pub(super) fn contains(&self, image: usize) -> bool {
        self.0.get(image / 64).is_some_and(|word| word >> (image % 64) & 1 == 1)
    }

    /// The image of the lowest number.
    pub(super) fn first(&self) -> Option<usize> {
        self.iter().next()
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        let bits = |word: u64| (0..64).filter(move |bit| word >> bit & 1 == 1);
        self.0.iter().enumerate().flat_map(move |(at, word)| bits(*word).map(move |bit| at * 64 + bit))
    }

    /// The images in both sets.
    pub(super) fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect()).trimmed()
    }

    /// The images in one of the sets or in both.
    pub(super) fn or(&self, other: &Self) -> Self {
        let word = |set: &Self, at: usize| set.0.get(at).copied().unwrap_or(0);
        Self((0..self.0.len().max(other.0.len())).map(|at| word(self, at) | word(other, at)).collect())
    }

    /// The images of this set that are not in the other.
    pub(super) fn without(&self, other: &Self) -> Self {
        let word = |at: usize| other.0.get(at).copied().unwrap_or(0);
        Self(self.0.iter().enumerate().map(|(at, bits)| bits & !word(at)).collect()).trimmed()
    }

    /// Without zero words at the end, so that equal sets are equal values.
    fn trimmed(mut self) -> Self {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }
}

impl FromIterator<usize> for ImageSet {
    fn from_iter<I: IntoIterator<Item = usize>>(images: I) -> Self {
        let mut set = Self::default();
        images.into_iter().for_each(|image| set.insert(image));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_behave_as_sets() {
        let set = |images: &[usize]| images.iter().copied().collect::<ImageSet>();
        let (a, b) = (set(&[1, 64, 200]), set(&[1, 200]));
        assert_eq!(a.and(&b), b);
        assert_eq!(a.without(&b), set(&[64]));
        assert_eq!(set(&[64]).or(&b), a);
        assert!(b.without(&a).is_empty());
        assert_eq!(a.iter().collect::<Vec<_>>(), [1, 64, 200]);
        assert_eq!((a.len(), a.contains(64), a.contains(63)), (3, true, false));
    }
}
