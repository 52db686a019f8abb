//! A mesh in versions that differ in one response header.

use std::net::{IpAddr, SocketAddr};

use compiler::emit::ads::{Ads, Servers, Variant, ads_bootstrap};
use compiler::snapshot::Snapshot;
use compiler::{CheckedMesh, WasmModule};
use local::Subnet;
use spec::{Color, Diagnostics, SourceFile, Sources, Syntax};

use super::{HEADER, NODE, SERVICE};

pub(crate) struct Meshes {
    subnet: Subnet,
    pub(crate) address: IpAddr,
    pub(crate) applications: Vec<SocketAddr>,
}

impl Meshes {
    pub(crate) fn new(subnet: Subnet) -> Self {
        let placement = placement(subnet, "1");
        let address = placement.instances.first().expect("one instance").address;
        let applications = placement.workloads.iter().map(|workload| workload.listen).collect();
        Self { subnet, address, applications }
    }

    pub(crate) fn snapshot(&self, header: &str) -> Snapshot {
        Snapshot::of(&self.checked(header), &module())
    }

    pub(crate) fn bootstrap(&self, variant: Variant) -> String {
        let mesh = self.checked("1");
        let proxy = mesh.proxies().find(|proxy| mesh.proxy_name(*proxy).as_str() == NODE).expect("the node");
        let ads = Ads { variant, ..Ads::towards(Servers::Socket("xds.sock".to_owned())) };
        envoy::to_yaml(&ads_bootstrap(&mesh, proxy, &ads).bootstrap)
    }

    fn checked(&self, header: &str) -> CheckedMesh {
        let mut diagnostics = Diagnostics::new();
        let checked = compiler::check(&placement(self.subnet, header).mesh, &Sources::new(), &mut diagnostics);
        checked.expect("a placed mesh is right")
    }
}

fn placement(subnet: Subnet, header: &str) -> local::Placement {
    // Versions that end alike lead to the same cluster.
    let to = if header.ends_with('b') { "b.svc" } else { "a.svc" };
    let text = format!(
        "mesh \"trial\" {{\n\
         service \"{SERVICE}\" {{\n\
         route path-prefix=\"/\" {{\n\
         response-headers {{ set \"{HEADER}\" value=\"{header}\" }}\n\
         to \"{to}\"\n}}\n}}\n\
         service \"a.svc\" {{ endpoint \"10.0.0.1:3000\" }}\n\
         service \"b.svc\" {{ endpoint \"10.0.0.2:3000\" }}\n\
         node \"{NODE}\" calls=\"{SERVICE}\"\n}}\n"
    );
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("mesh.kdl", text));
    let mut diagnostics = Diagnostics::new();
    let mesh = spec::parse(file, Syntax::Kdl, &sources, &mut diagnostics);
    let checked = mesh.as_ref().and_then(|mesh| compiler::check(mesh, &sources, &mut diagnostics));
    let told = spec::render(&diagnostics, &sources, Color::Plain);
    assert!(!diagnostics.has_errors(), "{told}");
    let (mesh, checked) = (mesh.expect(&told), checked.expect(&told));
    local::place(&mesh, &checked, subnet).expect("the range has room")
}

fn module() -> WasmModule {
    WasmModule { sha256: "0".repeat(64), folder: "filters".to_owned() }
}
