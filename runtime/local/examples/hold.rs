//! Starts one Envoy, prints its process id, and does nothing until it is killed.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::IpAddr;

use meshwright_local::{Instance, InstanceKind, InstancePlan, Options, Plan, Subnet, find, start};
use spec::Name;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let claim = Subnet::claim()?;
    let address = IpAddr::V4(claim.subnet().addresses().next().ok_or("an empty range")?);
    let name = Name::new("alone").ok_or("not a name")?;
    let config = format!("admin: {{ address: {{ socket_address: {{ address: {address}, port_value: 9901 }} }} }}");
    let (origin, kind) = (name.clone(), InstanceKind::Node);
    let instance = Instance { name, origin, kind, address, original: None, ports: Vec::new() };
    let instances = vec![InstancePlan { instance, config }];
    let plan = Plan { instances, files: BTreeMap::new(), workloads: Vec::new() };
    let running = start(plan, Options { claim: Some(claim), ..Options::new(find(None)?) }).await?;
    println!("{}", running.instance("alone")?.pid().ok_or("it died")?);
    std::future::pending().await
}
