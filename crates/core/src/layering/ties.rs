//! Which images must have what they share in the same layers.

use super::image_set::ImageSet;

/// Images that are tied have every item that both have in the same layer: an image and the one it is `from`, an image
/// and those it is within.
///
/// That one has every layer of the other says no more and no less: a layer with an item of both is a layer of both.
#[derive(Debug, Default)]
pub(super) struct Ties(Vec<ImageSet>);

impl Ties {
    /// No ties among this many images.
    pub(super) fn none(images: usize) -> Self {
        Self(vec![ImageSet::default(); images])
    }

    pub(super) fn tie(&mut self, one: usize, other: usize) {
        self.0[one].insert(other);
        self.0[other].insert(one);
    }

    /// The parts of a set of images that ties hold together, each image in one of them.
    pub(super) fn parts(&self, images: &ImageSet) -> Vec<ImageSet> {
        let mut left = images.clone();
        let mut parts = Vec::new();
        while let Some(image) = left.first() {
            let part = self.part_of(image, images);
            left = left.without(&part);
            parts.push(part);
        }
        parts
    }

    /// The part of a set of images that holds `image`, one of them.
    pub(super) fn part_of(&self, image: usize, images: &ImageSet) -> ImageSet {
        let mut part = ImageSet::default();
        part.insert(image);
        let mut next = vec![image];
        while let Some(at) = next.pop() {
            for other in self.0[at].and(images).without(&part).iter() {
                part.insert(other);
                next.push(other);
            }
        }
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tie_holds_only_where_both_images_are_in_question() {
        let set = |images: &[usize]| images.iter().copied().collect::<ImageSet>();
        let mut ties = Ties::none(5);
        ties.tie(0, 2);
        ties.tie(2, 4);
        assert_eq!(ties.parts(&set(&[0, 1, 2, 4])), [set(&[0, 2, 4]), set(&[1])]);
        assert_eq!(ties.parts(&set(&[0, 1, 4])), [set(&[0]), set(&[1]), set(&[4])]);
    }
}
