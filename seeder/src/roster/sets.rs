//! Which channels are wanted, by whom.

use std::collections::HashSet;

use super::CHANNELS_MAX;
use crate::config::Channel;

/// Who wants a channel. A name belongs to the first source, in this order, that lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The configuration: its file, the environment, the command line.
    File,
    /// The control server of `seeder.channels_from`.
    Control,
    /// The admin API.
    Api,
}

impl Source {
    const ALL: [Self; 3] = [Self::File, Self::Control, Self::Api];

    /// As it is shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Control => "control",
            Self::Api => "api",
        }
    }
}

/// What each source lists, in its order.
#[derive(Debug, Default)]
pub(super) struct Sets([Vec<Channel>; Source::ALL.len()]);

impl Sets {
    /// All that a source wants.
    pub(super) fn put_all(&mut self, source: Source, channels: Vec<Channel>) {
        self.0[source as usize] = channels;
    }

    /// All that a source lists.
    pub(super) fn of(&self, source: Source) -> &[Channel] {
        &self.0[source as usize]
    }

    /// One more, or another one of the name.
    pub(super) fn put(&mut self, source: Source, channel: Channel) {
        let set = &mut self.0[source as usize];
        match set.iter_mut().find(|it| it.name == channel.name) {
            Some(known) => *known = channel,
            None => set.push(channel),
        }
    }

    /// One less.
    pub(super) fn remove(&mut self, source: Source, name: &str) {
        self.0[source as usize].retain(|it| it.name != name);
    }

    /// Whose a name is, and what that source wants of it.
    pub(super) fn owner(&self, name: &str) -> Option<(Source, &Channel)> {
        let mut sources = Source::ALL.into_iter();
        sources.find_map(|source| {
            let mut set = self.0[source as usize].iter();
            set.find(|it| it.name == name).map(|it| (source, it))
        })
    }

    /// How many names there are.
    pub(super) fn len(&self) -> usize {
        let names: HashSet<&str> = self.0.iter().flatten().map(|it| &*it.name).collect();
        names.len()
    }

    /// One list of them all, and the names of what is not in it though a source wants it.
    pub(super) fn merged(&self) -> (Vec<(Source, Channel)>, Vec<String>) {
        let (mut merged, mut set_aside) = (Vec::new(), Vec::new());
        let mut names = HashSet::new();
        for source in Source::ALL {
            for channel in &self.0[source as usize] {
                let is_free = names.len() < CHANNELS_MAX && names.insert(&*channel.name);
                if is_free {
                    merged.push((source, channel.clone()));
                } else {
                    set_aside.push(channel.name.clone());
                }
            }
        }
        (merged, set_aside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(name: &str, path: &str) -> Channel {
        let manifest = format!("https://cdn.example/{path}").parse().unwrap();
        Channel::new(name.to_owned(), manifest)
    }

    fn seen(sets: &Sets) -> Vec<(Source, String)> {
        let merged = sets.merged().0.into_iter();
        merged.map(|(source, it)| (source, it.name)).collect()
    }

    #[test]
    fn a_name_belongs_to_the_first_source_that_lists_it() {
        let mut sets = Sets::default();
        sets.put(Source::Api, channel("a", "api"));
        sets.put(Source::Api, channel("b", "api"));
        sets.put_all(Source::File, vec![channel("a", "file")]);
        assert_eq!(
            seen(&sets),
            [(Source::File, "a".into()), (Source::Api, "b".into())]
        );
        assert_eq!(sets.merged().1, ["a"]);
        assert_eq!(sets.len(), 2);
        // What was set aside comes to light again.
        sets.put_all(Source::File, Vec::new());
        assert_eq!(sets.owner("a").unwrap().0, Source::Api);
        sets.remove(Source::Api, "a");
        assert_eq!(sets.owner("a"), None);
    }

    #[test]
    fn a_source_with_too_many_loses_its_last() {
        let mut sets = Sets::default();
        let many = (0..CHANNELS_MAX + 2).map(|number| channel(&number.to_string(), "x"));
        sets.put_all(Source::Control, many.collect());
        let (merged, set_aside) = sets.merged();
        assert_eq!((merged.len(), set_aside.len()), (CHANNELS_MAX, 2));
    }
}
