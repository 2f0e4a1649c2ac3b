//! The types of declared metrics, and the macro that declares them.

use metrics::{Key, Label, Level, Metadata, SharedString, with_recorder};

/// The declaration of a metric.
#[derive(Debug, PartialEq)]
pub struct Declaration {
    pub name: &'static str,
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// The lines of its help text.
    pub help: &'static [&'static str],
}

/// The kind of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    Counter,
    Gauge,
    /// With the upper bounds of its buckets.
    Histogram(&'static [f64]),
}

impl Kind {
    /// Returns its name in the text format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

impl Declaration {
    /// Returns the help text as one line.
    #[must_use]
    pub fn help(&self) -> String {
        self.help.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
    }

    fn key<const N: usize>(&self, values: [SharedString; N]) -> Key {
        let labels = self.labels.iter().zip(values).map(|(name, value)| Label::new(*name, value));
        Key::from_parts(self.name, labels.collect::<Vec<_>>())
    }
}

/// What the facade wants to know of the place that records. The exporter makes no use of it.
const METADATA: Metadata<'_> = Metadata::new(module_path!(), Level::INFO, None);

/// A count that only grows, with `N` labels. Values are given in the order of the declared labels.
#[derive(Debug, Clone, Copy)]
pub struct Counter<const N: usize>(pub &'static Declaration);

impl<const N: usize> Counter<N> {
    /// Adds to the count.
    pub fn add<V: Into<SharedString>>(self, values: [V; N], count: u64) {
        self.handle(values).increment(count);
    }

    /// Publishes a count that is kept elsewhere.
    pub fn publish<V: Into<SharedString>>(self, values: [V; N], total: u64) {
        self.handle(values).absolute(total);
    }

    fn handle<V: Into<SharedString>>(self, values: [V; N]) -> metrics::Counter {
        let key = self.0.key(values.map(Into::into));
        with_recorder(|recorder| recorder.register_counter(&key, &METADATA))
    }
}

/// A value that rises and falls, with `N` labels. Values are given in the order of the declared labels.
#[derive(Debug, Clone, Copy)]
pub struct Gauge<const N: usize>(pub &'static Declaration);

impl<const N: usize> Gauge<N> {
    /// Sets the value.
    pub fn set<V: Into<SharedString>>(self, values: [V; N], value: f64) {
        self.handle(values).set(value);
    }

    /// Counts one more until the guard is dropped.
    pub fn hold<V: Into<SharedString>>(self, values: [V; N]) -> Held {
        let handle = self.handle(values);
        handle.increment(1.0);
        Held(handle)
    }

    fn handle<V: Into<SharedString>>(self, values: [V; N]) -> metrics::Gauge {
        let key = self.0.key(values.map(Into::into));
        with_recorder(|recorder| recorder.register_gauge(&key, &METADATA))
    }

    /// Sets the value to a count. Counts above 2^53 lose their last digits.
    #[expect(clippy::cast_precision_loss, reason = "no count of Latchkey comes near")]
    pub fn set_count<V: Into<SharedString>>(self, values: [V; N], count: u64) {
        self.set(values, count as f64);
    }
}

/// One that a [`Gauge`] counts until this is dropped.
#[must_use = "it counts until it is dropped"]
pub struct Held(metrics::Gauge);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// A distribution, with `N` labels. Values are given in the order of the declared labels.
#[derive(Debug, Clone, Copy)]
pub struct Histogram<const N: usize>(pub &'static Declaration);

impl<const N: usize> Histogram<N> {
    /// Records one value.
    pub fn record<V: Into<SharedString>>(self, values: [V; N], value: f64) {
        self.record_many(values, value, 1);
    }

    /// Records a value that was observed several times.
    pub fn record_many<V: Into<SharedString>>(self, values: [V; N], value: f64, count: usize) {
        let key = self.0.key(values.map(Into::into));
        with_recorder(|recorder| recorder.register_histogram(&key, &METADATA)).record_many(value, count);
    }
}

/// Declares metrics. `NAME: Kind = "latchkey_name" ["label", …];` below its help text as a doc comment makes a constant; a
/// histogram has its buckets after the labels. `ALL` has every declaration.
macro_rules! metrics {
    ($(
        $(#[doc = $help:literal])+
        $constant:ident: $kind:ident = $name:literal [$($label:literal),*] $(buckets $buckets:expr)?;
    )+) => {
        $(
            $(#[doc = $help])+
            pub const $constant: $kind<{ <[&str]>::len(&[$($label),*]) }> = $kind(&Declaration {
                name: $name,
                kind: Kind::$kind $(($buckets))?,
                labels: &[$($label),*],
                help: &[$($help),+],
            });
        )+

        /// Every metric, in the order of the reference page.
        pub const ALL: &[&Declaration] = &[$($constant.0),+];
    };
}
pub(crate) use metrics;
