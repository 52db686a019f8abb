//! The services of Cloud Map that the mesh names. One that does not exist holds up nothing else.

use compiler::import::ecs::Wants;
use compiler::observation::CloudMapService;

use super::Whole;
use crate::api::{Answer, Api, Kind};
use crate::calls::Calls;

pub(super) async fn read<A: Api>(api: &A, wants: &Wants, whole: &mut Whole, calls: &mut Calls<'_>) -> Answer<()> {
    for (namespace, service) in &wants.cloud_map {
        let call = || api.discover_instances(namespace, service);
        let instances = match calls.make("DiscoverInstances", call).await {
            Err(fault) if fault.kind == Kind::Missing => {
                whole.missing.insert(format!("Cloud Map has no service `{service}` in a namespace `{namespace}`"));
                whole.absent.insert((namespace.clone(), service.clone()));
                Vec::new()
            }
            answer => answer?,
        };
        let (namespace, service) = (namespace.clone(), service.clone());
        whole.cloud_map.push(CloudMapService { namespace, service, instances });
    }
    Ok(())
}
