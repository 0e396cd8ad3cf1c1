//! The Kubernetes vocabulary: stencils, attributes and their values, as typed constants.
//!
//! Adding an attribute is adding one entry to [`attributes`] and naming it in the list of a stencil in [`stencil`].
//! Discovery sets attributes through [`Attribute`], so that a value of a wrong domain does not compile; the filter
//! language finds them by name in [`vocabulary`].

pub mod attributes;
pub mod stencil;
pub mod values;

use std::borrow::Cow;
use std::marker::PhantomData;

use kubestride_model::{AttributeId, Domain, Value, Vocabulary};

/// Named values of which an attribute has one, or several.
pub trait Choice: Copy + 'static {
    /// The names in filters and outputs, by [`Choice::position`].
    const NAMES: &'static [&'static str];
    /// The position of this value.
    fn position(self) -> u8;
}

/// An attribute whose value is one of `T`.
#[derive(Debug)]
pub struct Attribute<T> {
    /// The id in [`vocabulary`].
    pub id: AttributeId,
    kind: PhantomData<T>,
}

impl<T> Clone for Attribute<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Attribute<T> {}

impl<T> Attribute<T> {
    pub(crate) const fn new(id: u16) -> Self {
        Self { id: AttributeId(id), kind: PhantomData }
    }
}

/// A set of values of `T`.
#[derive(Debug, Clone, Copy)]
pub struct SetOf<T>(PhantomData<T>);

/// A whole number.
#[derive(Debug, Clone, Copy)]
pub struct Number;

/// A text.
#[derive(Debug, Clone, Copy)]
pub struct Text;

impl<T: Choice> Attribute<T> {
    /// The value for the model.
    pub fn value(self, value: T) -> Value {
        Value::Choice(value.position())
    }
}

impl<T: Choice> Attribute<SetOf<T>> {
    /// The value for the model.
    pub fn set(self, values: impl IntoIterator<Item = T>) -> Value {
        Value::Set(values.into_iter().fold(0, |bits, v| bits | 1 << v.position()))
    }
}

/// What a type of attribute value looks like in a [`Vocabulary`].
pub trait DomainOf {
    /// The domain.
    fn domain() -> Domain;
}

fn names<T: Choice>() -> Cow<'static, [Cow<'static, str>]> {
    Cow::Owned(T::NAMES.iter().map(|n| Cow::Borrowed(*n)).collect())
}

impl<T: Choice> DomainOf for T {
    fn domain() -> Domain {
        Domain::Choice(names::<T>())
    }
}

impl<T: Choice> DomainOf for SetOf<T> {
    fn domain() -> Domain {
        Domain::Set(names::<T>())
    }
}

impl DomainOf for Number {
    fn domain() -> Domain {
        Domain::Number
    }
}

impl DomainOf for Text {
    fn domain() -> Domain {
        Domain::Text
    }
}

/// The stencils and attributes of Kubernetes.
pub fn vocabulary() -> Vocabulary {
    Vocabulary { stencils: stencil::all(), attributes: attributes::all() }
}

/// Declares the attributes: constants for code and the table for filters.
macro_rules! declare_attributes {
    ($($(#[doc = $doc:literal])+ $constant:ident: $kind:ty = $name:literal, $default:expr $(, answered by $answer:literal)?;)*) => {
        /// The place of each in the table.
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "the names are those of the constants")]
        #[derive(Clone, Copy)]
        enum Place {
            $($constant),*
        }

        $(
            $(#[doc = $doc])+
            pub const $constant: Attribute<$kind> = Attribute::new(Place::$constant as u16);
        )*

        pub(crate) fn all() -> Vec<AttributeDef> {
            vec![$(AttributeDef {
                name: Cow::Borrowed($name),
                domain: <$kind as DomainOf>::domain(),
                default: $default,
                doc: Cow::Borrowed(concat!($($doc),+).trim_ascii()),
                answered_by: Cow::Borrowed(concat!($($answer)?)),
            }),*]
        }
    };
}
pub(crate) use declare_attributes;

/// Declares the stencils: constants for code and the table for filters.
macro_rules! declare_stencils {
    ($($(#[doc = $doc:literal])+ $constant:ident: $role:ident $name:literal $(< $parent:ident)? [$($attribute:ident),* $(,)?];)*) => {
        /// The place of each in the table.
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "the names are those of the constants")]
        #[derive(Clone, Copy)]
        enum Place {
            $($constant),*
        }

        $(
            $(#[doc = $doc])+
            pub const $constant: StencilId = StencilId(Place::$constant as u16);
        )*

        pub(crate) fn all() -> Vec<StencilDef> {
            vec![$(StencilDef {
                name: Cow::Borrowed($name),
                role: Role::$role,
                parent: None $(.or(Some($parent)))?,
                attributes: Cow::Borrowed(const { &[$(attributes::$attribute.id),*] }),
                doc: Cow::Borrowed(concat!($($doc),+).trim_ascii()),
            }),*]
        }
    };
}
pub(crate) use declare_stencils;
