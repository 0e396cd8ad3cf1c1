//! What is wrong with a YAML text, in sentences of our own.
//!
//! The parser's errors can hold characters of the input and, for directives and tags, could come to hold more.
//! Messages are therefore written here and never made from the input.

use granit_parser::ErrorKind as E;

/// What is wrong.
pub(crate) fn sentence(kind: &E) -> &'static str {
    match kind {
        E::UnexpectedEofFlowSequence | E::UnexpectedEofFlowMapping | E::UnexpectedEofImplicitFlowMapping => {
            "a bracket is not closed"
        }
        E::UnclosedFlowCollection { .. } => "a bracket is not closed",
        E::MismatchedFlowCollectionEnd { .. } => "a bracket is closed by one of another kind",
        E::MisplacedFlowCollectionEnd => "a bracket is closed that was not opened",
        E::ExpectedFlowMappingSeparator => "expected `,` or `}`",
        E::ExpectedFlowSequenceSeparator => "expected `,` or `]`",
        E::UnexpectedEofBlockSequence | E::UnexpectedEofBlockMapping | E::UnexpectedEof => {
            "the document ends too early"
        }
        E::ExpectedBlockMappingKey => "expected a key here, indented as the keys above it",
        E::ExpectedBlockSequenceEntry => "expected `-`, indented as the items above it",
        E::ExpectedNodeContent => "expected a value",
        E::SimpleKeyExpected | E::InvalidSimpleKey => "expected `:` after a key on the same line",
        E::MappingKeyNotAllowed => "a key is not allowed here",
        E::MappingValueNotAllowed | E::InvalidColonPlacement => {
            "`:` is not allowed here; text that holds it needs quotes"
        }
        E::InvalidMappingValueWhitespace | E::FlowMappingValueAdjacentCollection => "`:` needs a space after it",
        E::BlockSequenceEntryNotAllowed | E::BlockEntryInFlowCollection => "`-` is not allowed here",
        E::InvalidBlockEntryWhitespace => "`-` needs a space after it",
        E::InvalidIndentation | E::InvalidFlowScalarIndent | E::InvalidQuotedScalarIndent => "the indentation is wrong",
        E::TabNotAllowed | E::TabInBlockIndentation | E::TabInIndentation | E::TabInPlainScalar => {
            "a tab is not allowed here; indent with spaces"
        }
        E::ZeroBlockScalarIndent
        | E::InvalidBlockScalarHeader
        | E::TabAtBlockScalarStart
        | E::InvalidBlockScalarIndent => "the block of text is not indented as it has to be",
        E::UnclosedQuotedScalar | E::DocumentIndicatorInQuotedScalar => "a quote is not closed",
        E::InvalidTrailingSingleQuotedScalar | E::InvalidTrailingDoubleQuotedScalar => {
            "there is text after a closing quote"
        }
        E::UnknownQuotedScalarEscape
        | E::InvalidQuotedScalarHexEscape
        | E::InvalidLowSurrogateHexEscape
        | E::InvalidLowSurrogate
        | E::MissingLowSurrogate
        | E::UnpairedLowSurrogate
        | E::InvalidUnicodeEscape => "a `\\` in double quotes is not followed by a known escape",
        E::UnexpectedCharacter { .. } => "a value cannot begin with this character; it needs quotes",
        E::PlainScalarStartsWithDashFlowIndicator | E::UnexpectedEndOfPlainScalar => {
            "a value cannot begin like this; it needs quotes"
        }
        E::BomInsideDocument => "a byte order mark is not allowed inside a document",
        E::CommentInterceptedScalar => "a comment stands inside a text of several lines",
        E::CommentNotSeparated => "a comment needs a space before its `#`",
        E::TooManyComments => "too many comments in one place",
        E::ExpectedDocumentStart | E::MissingDocumentEndBeforeDirective | E::InvalidDocumentEnd => {
            "expected the end of the document"
        }
        E::DuplicateVersionDirective
        | E::UnsupportedYamlMajorVersion
        | E::DuplicateTagDirective
        | E::InvalidDirectiveTerminator
        | E::MissingYamlVersionSeparator
        | E::MissingDirectiveName
        | E::InvalidDirectiveName
        | E::DirectiveByteLimitExceeded { .. }
        | E::TooManyReservedDirectiveParams { .. }
        | E::YamlVersionTooLong
        | E::MissingYamlVersion
        | E::InvalidTagDirectiveTerminator
        | E::ExpectedTagDirectiveBang => "a `%` directive is not valid",
        E::UndeclaredTagHandle
        | E::ExpectedTagBang
        | E::InvalidGlobalTagCharacter
        | E::InvalidTagTerminator
        | E::MissingTagUri
        | E::UnclosedVerbatimTag
        | E::InvalidTagEscape
        | E::InvalidTagUtf8LeadingByte
        | E::InvalidTagUtf8TrailingByte
        | E::InvalidTagUtf8 => "a `!` tag is not valid",
        E::MissingAnchorOrAliasName | E::AnchorCountOverflow => "an `&` anchor or `*` alias is not valid",
        E::ExpectedWhitespace => "expected white space",
        _ => "this is not valid YAML",
    }
}
