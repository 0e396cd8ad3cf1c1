//! Whom an Alertmanager of the Prometheus operator tells: the receivers of the AlertmanagerConfigs that it selects.
//! <https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1alpha1.AlertmanagerConfig>

use kubestride_model::Confidence;
use kubestride_policy::Namespaces;
use kubestride_yaml::Value;

use super::Signal;
use super::monitors::{GROUP, selecting};
use crate::claims::Claims;
use crate::traffic;
use crate::world::World;

pub(crate) struct AlertReceivers;

impl Signal for AlertReceivers {
    fn name(&self) -> &'static str {
        "alert-receivers"
    }

    fn claim(&self, world: &World<'_>, claims: &mut Claims) {
        let of_operator = world.workloads.iter().enumerate().filter(|(_, w)| w.operated.is_some());
        let all: Vec<usize> =
            of_operator.filter(|(_, w)| w.object().kind() == "Alertmanager").map(|(i, _)| i).collect();
        if all.is_empty() {
            return;
        }
        let namespaces = Namespaces::read(world.manifests);
        for config in world.manifests.by_custom_kind(GROUP, "AlertmanagerConfig") {
            let Some(receivers) = config.spec().and_then(|s| s.get("receivers")) else { continue };
            for index in selecting(world, &all, &namespaces, config, "alertmanagerConfig") {
                called(world, index, receivers, config.name(), claims);
            }
        }
    }
}

/// Fields that say where a message is sent.
const FIELDS: [&str; 8] = ["url", "apiURL", "apiUrl", "apiAddress", "smarthost", "proxyURL", "proxyUrl", "webhookURL"];

fn called(world: &World<'_>, index: usize, value: Value<'_>, config: &str, claims: &mut Claims) {
    value.items().for_each(|item| called(world, index, item, config, claims));
    for entry in value.entries() {
        if FIELDS.contains(&entry.key) {
            let why = format!("a receiver of AlertmanagerConfig {config}");
            traffic::claim_field(world, index, ("url", entry.value), Confidence::Likely, &why, claims);
        } else if !matches!(entry.key, "actions" | "fields" | "details" | "pagerDutyLinkConfigs" | "links") {
            called(world, index, entry.value, config, claims);
        }
    }
}
