//! Lists in pages, and the tokens between them, which expire.

use serde_json::Value;

use crate::failure::Failure;

/// One page of ARNs or ids, in their order, and the token of the next one.
pub(crate) struct Page {
    pub(crate) items: Vec<String>,
    pub(crate) next: Option<String>,
}

struct Token {
    age: u64,
    page: u64,
    /// The last of the page before: what comes or goes between two pages neither repeats nor hides another.
    after: String,
}

/// The page that is asked for with `nextToken` and `maxResults`.
pub(crate) fn of(mut items: Vec<String>, request: &Value, most: u64, age: u64) -> Result<Page, Failure> {
    let size = match &request["maxResults"] {
        Value::Null => most,
        size => size
            .as_u64()
            .filter(|size| (1..=most).contains(size))
            .ok_or_else(|| Failure::invalid(format!("Invalid maxResults {size}: it must be between 1 and {most}.")))?,
    };
    let token = match request["nextToken"].as_str() {
        None | Some("") => Token { age, page: 1, after: String::new() },
        Some(token) => {
            read(token).filter(|token| token.age == age).ok_or_else(|| Failure::invalid("Invalid token."))?
        }
    };
    items.sort();
    let mut rest: Vec<String> = items.into_iter().filter(|item| *item > token.after).collect();
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let more = rest.len() > size;
    rest.truncate(size);
    let after = rest.last().filter(|_| more);
    let next = after.map(|after| write(&Token { age, page: token.page + 1, after: after.clone() }));
    Ok(Page { items: rest, next })
}

/// Which page a request asks for, from 1.
pub(crate) fn number(request: &Value) -> u64 {
    request["nextToken"].as_str().and_then(read).map_or(1, |token| token.page)
}

/// A token that leads to the first page once more.
pub(crate) fn begin_again(age: u64) -> String {
    write(&Token { age, page: 2, after: String::new() })
}

fn write(token: &Token) -> String {
    let text = format!("{} {} {}", token.age, token.page, token.after);
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn read(token: &str) -> Option<Token> {
    let byte = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = token.as_bytes().chunks(2).map(byte).collect();
    let text = String::from_utf8(bytes?).ok()?;
    let mut words = text.splitn(3, ' ');
    let mut number = || words.next()?.parse::<u64>().ok();
    let (age, page) = (number()?, number()?);
    Some(Token { age, page, after: words.next()?.to_owned() })
}
