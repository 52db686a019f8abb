//! Meshwright in a browser: what a filter decides about a request.
//!
//! ```js
//! const filter = new Filter("header-routing", '{"rules":[]}');
//! JSON.parse(filter.decide('{"headers":[[":method","GET"],[":path","/"]]}')).forwarded.headers
//! ```

mod decision;
mod request;

use policy::Decide;
use wasm_bindgen::prelude::*;

/// A configured filter, which remembers what it needs from one request for the next.
#[wasm_bindgen]
pub struct Filter {
    policy: Box<dyn Decide>,
}

#[wasm_bindgen]
impl Filter {
    /// Reads the configuration, JSON as the compiler embeds it, of the filter with a root id.
    #[wasm_bindgen(constructor)]
    pub fn new(root_id: &str, config: &str) -> Result<Filter, JsError> {
        configure(root_id, config).map_err(|problem| JsError::new(&problem))
    }

    /// Decides a request, which is JSON as in `request.rs`; the decision is JSON as in `decision.rs`.
    pub fn decide(&mut self, request: &str) -> Result<String, JsError> {
        decide(self, request).map_err(|problem| JsError::new(&problem))
    }
}

/// The root ids of all filters.
#[wasm_bindgen(js_name = rootIds)]
pub fn root_ids() -> Vec<String> {
    policy::FILTERS.iter().map(|filter| filter.root_id.to_owned()).collect()
}

fn configure(root_id: &str, config: &str) -> Result<Filter, String> {
    let filter = policy::find(root_id).ok_or_else(|| format!("no filter has the root id `{root_id}`"))?;
    let policy = (filter.configure)(config.as_bytes()).map_err(|invalid| invalid.to_string())?;
    Ok(Filter { policy })
}

fn decide(filter: &mut Filter, request: &str) -> Result<String, String> {
    let case = request::read(request)?;
    Ok(decision::write(&policy::testdata::run(&mut *filter.policy, &case)))
}
