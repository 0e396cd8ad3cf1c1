//! Flows that network policies declare.

use super::{app, flows};

fn policy(selected: &str, peer: &str) -> String {
    format!(
        "---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: p}}
spec:
  podSelector: {selected}
  ingress: [{{from: [{{podSelector: {peer}}}]}}]
"
    )
}

#[test]
fn a_policy_that_admits_a_group_to_itself_does_not_say_who_calls_whom() {
    let grouped = |name: &str| app(name, 80, "").replace("labels: {app: ", "labels: {tier: back, app: ");
    let group = "{matchLabels: {tier: back}}";
    let pods = grouped("a") + &grouped("b") + &app("c", 80, "");
    assert_eq!(
        flows(&(pods.clone() + &policy(group, group))),
        [
            "Deployment/default/a -> Deployment/default/b possible",
            "Deployment/default/b -> Deployment/default/a possible"
        ]
    );
    // One of the group is not told apart from the others either.
    let one = "{matchLabels: {app: a}}";
    assert_eq!(flows(&(pods.clone() + &policy(one, group))), ["Deployment/default/b -> Deployment/default/a possible"]);
    // Who is admitted to one workload is expected there.
    let other = "{matchLabels: {app: c}}";
    assert_eq!(
        flows(&(pods + &policy(other, group))),
        ["Deployment/default/a -> Deployment/default/c likely", "Deployment/default/b -> Deployment/default/c likely"]
    );
}

#[test]
fn a_group_too_large_to_tell_its_members_apart_makes_no_flows() {
    let pods = |count: usize| -> String {
        (0..count)
            .map(|i| app(&format!("p{i}"), 80, "").replace("labels: {app: ", "labels: {tier: back, app: "))
            .collect()
    };
    let group = "{matchLabels: {tier: back}}";
    assert_eq!(flows(&(pods(31) + &policy(group, group))).len(), 31 * 30);
    assert_eq!(flows(&(pods(32) + &policy(group, group))), [""; 0]);
    // Whom a single workload admits is not a question of groups.
    let one = "{matchLabels: {app: gate}}";
    assert_eq!(flows(&(pods(40) + &app("gate", 80, "") + &policy(one, group))).len(), 40);
}
