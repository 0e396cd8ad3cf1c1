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
