//! Access by address: which networks may send requests.

use alloc::string::String;
use alloc::vec::Vec;

use crate::client::{self, Network, Networks};
use crate::decode::config;
use crate::fault::Status;
use crate::{Counter, Env, HttpPolicy, LocalReply, Request, Verdict};

/// The filter's root id in the wasm module.
pub const IP_ACCESS_ROOT_ID: &str = "ip-access";

/// gRPC's name of a refusal, whatever the HTTP status.
const PERMISSION_DENIED: u8 = 7;

config! {
    /// One plugin. A client in `deny` is refused. If `allow` has any network, so is a client in none of them. Whoever has
    /// no address that is trusted is refused.
    pub struct IpAccessConfig {
        /// Who may come; none is everybody.
        pub allow: Vec<Network>,
        /// Who may not, even if allowed.
        pub deny: Vec<Network>,
        /// How many entries at the end of `x-forwarded-for` trusted proxies have written; with 0 it is not looked at.
        pub trusted_hops: u32 = 0,
        /// What a refused request is answered.
        pub status: Status = Status(403),
        /// The body of that answer.
        pub body: String = String::new(),
        /// Whether refusals are only counted.
        pub dry_run: bool = false,
    }
}

/// A prepared [`IpAccessConfig`].
#[derive(Debug)]
pub struct IpAccess {
    config: IpAccessConfig,
    allow: Networks,
    deny: Networks,
}

impl HttpPolicy for IpAccess {
    type Config = IpAccessConfig;
    const ROOT_ID: &'static str = IP_ACCESS_ROOT_ID;
    const COUNTERS: &'static [Counter] = &[Counter::IpAccessDenied];

    fn new(config: IpAccessConfig) -> IpAccess {
        IpAccess { allow: Networks::new(&config.allow), deny: Networks::new(&config.deny), config }
    }

    fn on_request(&mut self, request: &mut dyn Request, env: &mut dyn Env) -> Verdict {
        if self.passes(client::address(request, self.config.trusted_hops)) {
            return Verdict::PASS;
        }
        env.count(Counter::IpAccessDenied);
        if self.config.dry_run {
            return Verdict::PASS;
        }
        Verdict::Respond(LocalReply {
            status: self.config.status.0,
            grpc_status: Some(PERMISSION_DENIED),
            body: self.config.body.clone().into(),
            details: "meshwright_ip_access_denied",
            ..LocalReply::default()
        })
    }
}

impl IpAccess {
    fn passes(&self, client: Option<client::Address>) -> bool {
        let Some(client) = client else { return false };
        !self.deny.contain(client) && (self.allow.is_empty() || self.allow.contain(client))
    }
}
