//! The same for instances of Cloud Map, of which nobody says that they ended: a few that are not in an answer are gone at once,
//! most of a service only when three whole reads lack them, or somebody releases them.

use std::collections::{BTreeMap, BTreeSet};

use compiler::observation::{CloudMapInstance, CloudMapService, Observation};

/// So many whole reads that lack it are right.
const READS: u32 = 3;
/// More than these are many, if they are half of a service.
const FEW: usize = 2;

/// What was published last, by namespace and service.
#[derive(Clone, Debug, Default)]
pub struct Instances(BTreeMap<(String, String), Known>);

#[derive(Clone, Debug, Default)]
struct Known {
    instances: BTreeMap<String, CloudMapInstance>,
    /// In how many whole reads in a row each that is kept was not there.
    lost: BTreeMap<String, u32>,
}

impl Instances {
    /// Begins with what was published before a restart.
    pub fn of(observation: &Observation) -> Self {
        let known = observation.cloud_map.iter().map(|it| {
            let instances = it.instances.iter().map(|it| (it.id.clone(), it.clone())).collect();
            ((it.namespace.clone(), it.service.clone()), Known { instances, lost: BTreeMap::new() })
        });
        Self(known.collect())
    }

    /// What is published of the services of a whole read, and why it is more than was read, one line each. Those that are
    /// `absent` stay as they were.
    pub fn judge(
        &mut self,
        read: &[CloudMapService],
        absent: &BTreeSet<(String, String)>,
        released: bool,
    ) -> (Vec<CloudMapService>, BTreeSet<String>) {
        let mut before = std::mem::take(&mut self.0);
        let (mut published, mut reasons) = (Vec::new(), BTreeSet::new());
        for service in read {
            let key = (service.namespace.clone(), service.service.clone());
            let mut known = before.remove(&key).unwrap_or_default();
            if !absent.contains(&key) {
                take(&mut known, service, released);
            }
            if !known.lost.is_empty() {
                reasons.insert(format!(
                    "{} of {} instances of `{}` in Cloud Map's `{}` vanished at once, and are kept",
                    known.lost.len(),
                    known.instances.len(),
                    service.service,
                    service.namespace
                ));
            }
            let instances = known.instances.values().cloned().collect();
            published.push(CloudMapService { instances, ..service.clone() });
            self.0.insert(key, known);
        }
        (published, reasons)
    }
}

fn take(known: &mut Known, read: &CloudMapService, released: bool) {
    let now: BTreeMap<String, CloudMapInstance> = read.instances.iter().map(|it| (it.id.clone(), it.clone())).collect();
    let before = std::mem::take(known);
    let count = before.instances.len();
    let lost: BTreeMap<String, CloudMapInstance> =
        before.instances.into_iter().filter(|(id, _)| !now.contains_key(id)).collect();
    let many = now.is_empty() || (lost.len() > FEW && lost.len() * 2 >= count);
    known.instances = now;
    for (id, instance) in lost {
        let reads = before.lost.get(&id).copied();
        let kept = !released && (many || reads.is_some()) && reads.unwrap_or(0) + 1 < READS;
        if kept {
            known.lost.insert(id.clone(), reads.unwrap_or(0) + 1);
            known.instances.insert(id, instance);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use compiler::observation::{CloudMapInstance, CloudMapService};

    use super::Instances;

    /// How many are published after each read of so many.
    fn published(reads: &[usize]) -> Vec<usize> {
        let instance = |id: usize| CloudMapInstance {
            id: id.to_string(),
            attributes: [].into(),
            health_status: "HEALTHY".to_owned(),
        };
        let mut instances = Instances::default();
        let judge = |count: &usize| {
            let service = CloudMapService {
                namespace: "internal".to_owned(),
                service: "db".to_owned(),
                instances: (0..*count).map(instance).collect(),
            };
            instances.judge(&[service], &BTreeSet::new(), false).0[0].instances.len()
        };
        reads.iter().map(judge).collect()
    }

    #[test]
    fn a_few_are_gone_at_once_and_most_after_three_reads() {
        assert_eq!(published(&[10, 8, 7]), [10, 8, 7]);
        assert_eq!(published(&[10, 3, 3, 3]), [10, 10, 10, 3]);
        assert_eq!(published(&[1, 0, 0, 0]), [1, 1, 1, 0]);
        assert_eq!(published(&[10, 0, 10, 0, 0, 0]), [10, 10, 10, 10, 10, 0]);
    }
}
