//! The configuration of an Alertmanager: what it holds for all receivers is called only if a receiver needs it.
//! <https://prometheus.io/docs/alerting/latest/configuration/#file-layout-and-global-settings>

use kubestride_yaml::Value;

/// Settings for all receivers: their key, the list of receivers that use it, and the key of such a receiver by which it
/// has its own.
const GLOBALS: [(&str, &str, &str); 10] = [
    ("jira_api_url", "jira_configs", "api_url"),
    ("opsgenie_api_url", "opsgenie_configs", "api_url"),
    ("pagerduty_url", "pagerduty_configs", "url"),
    ("rocketchat_api_url", "rocketchat_configs", "api_url"),
    ("slack_api_url", "slack_configs", "api_url"),
    ("smtp_smarthost", "email_configs", "smarthost"),
    ("telegram_api_url", "telegram_configs", "api_url"),
    ("victorops_api_url", "victorops_configs", "api_url"),
    ("webex_api_url", "webex_configs", "api_url"),
    ("wechat_api_url", "wechat_configs", "api_url"),
];

/// Keys of settings for all receivers that no receiver uses; none if the document is no such configuration.
pub(crate) fn unused(root: Value<'_>) -> Vec<&'static str> {
    let Some(receivers) = root.get("receivers").filter(|_| root.get("global").is_some() && root.get("route").is_some())
    else {
        return Vec::new();
    };
    let uses = |list: &str, own: &str| {
        let of_receiver = |receiver: Value<'_>| {
            receiver.get(list).into_iter().flat_map(|l| l.items()).any(|entry| entry.get(own).is_none())
        };
        receivers.items().any(of_receiver)
    };
    GLOBALS.iter().filter(|(_, list, own)| !uses(list, own)).map(|(key, ..)| *key).collect()
}
