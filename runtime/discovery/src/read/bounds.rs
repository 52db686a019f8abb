//! How much a task definition and a task may say. Labels are anybody's: what is over the bounds is not recorded at all.

use std::collections::BTreeMap;

use compiler::observation::{Task, TaskDefinition};

/// Bytes of one value.
pub const VALUE: usize = 4 * 1024;
/// Bytes of all keys and values.
const TOGETHER: usize = 64 * 1024;
/// Labels, variables and tags.
const KEYS: usize = 200;

/// Over the bounds it says nothing but why.
pub fn task_definition(definition: &mut TaskDefinition) {
    let containers = definition.containers.iter();
    let words = containers.flat_map(|container| [&container.labels, &container.environment]).chain([&definition.tags]);
    if let Some(reason) = over(words) {
        definition.refused = Some(reason);
        definition.tags.clear();
        for container in &mut definition.containers {
            container.labels.clear();
            container.environment.clear();
        }
    }
}

/// Over the bounds its own tags and variables are left out.
pub fn task(task: &mut Task) {
    if over(task.environment.values().chain([&task.tags])).is_some() {
        task.environment.clear();
        task.tags.clear();
    }
}

/// Why it is too much: in it is nothing of what is said.
fn over<'w>(words: impl Iterator<Item = &'w BTreeMap<String, String>>) -> Option<String> {
    let (mut keys, mut together) = (0, 0);
    for (key, value) in words.flatten() {
        keys += 1;
        together += key.len() + value.len();
        if value.len() > VALUE || key.len() > VALUE {
            return Some(format!("one of its labels, variables or tags is longer than {VALUE} bytes"));
        }
    }
    if keys > KEYS {
        return Some(format!("it has {keys} labels, variables and tags that are read; {KEYS} are the most"));
    }
    (together > TOGETHER).then(|| format!("its labels, variables and tags together are longer than {TOGETHER} bytes"))
}

#[cfg(test)]
mod tests {
    use compiler::observation::{ContainerDefinition, TaskDefinition};

    use super::task_definition;

    #[track_caller]
    fn refused(labels: impl Iterator<Item = (String, String)>) -> Option<String> {
        let container = ContainerDefinition { labels: labels.collect(), ..ContainerDefinition::default() };
        let mut definition = TaskDefinition { containers: vec![container], ..TaskDefinition::default() };
        task_definition(&mut definition);
        assert_eq!(definition.containers[0].labels.is_empty(), definition.refused.is_some());
        definition.refused
    }

    #[test]
    fn what_is_too_much_is_refused_without_its_words() {
        let long = refused([("meshwright.a".to_owned(), "secret".repeat(1_000))].into_iter()).unwrap();
        let many = refused((0..10_000).map(|n| (format!("meshwright.{n}"), "secret".to_owned()))).unwrap();
        let together = refused((0..199).map(|n| (format!("meshwright.{n}"), "secret".repeat(100)))).unwrap();
        assert!([&long, &many, &together].iter().all(|reason| !reason.contains("secret")));
        assert_eq!(refused((0..199).map(|n| (format!("meshwright.{n}"), "x".to_owned()))), None);
    }
}
