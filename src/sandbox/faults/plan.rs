//! A fault plan: an ordered list of rules. The first rule that matches a request wins.

use std::fs;
use std::path::Path;

use super::error::FaultPlanError;
use super::rule::Rule;
use super::rule_spec::{RuleSpec, Text};

/// Which requests get a fault, and which fault. The default plan has no faults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultPlan {
    pub(super) rules: Vec<Rule>,
}

/// A plan as written in TOML.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<RuleSpec>,
}

impl FaultPlan {
    /// Reads a plan from rules written as `kind[=value][,key=value]...`.
    ///
    /// # Errors
    /// [`FaultPlanError::Spec`] names the rule, the key and what is accepted.
    pub fn from_specs<S: AsRef<str>>(specs: impl IntoIterator<Item = S>) -> Result<Self, FaultPlanError> {
        let rule = |spec: S| {
            let spec = spec.as_ref();
            Rule::from_spec(spec).map_err(|source| FaultPlanError::Spec { spec: spec.to_owned(), source })
        };
        Ok(Self { rules: specs.into_iter().map(rule).collect::<Result<_, _>>()? })
    }

    /// Reads a plan from TOML `[[rule]]` tables.
    ///
    /// # Errors
    /// [`FaultPlanError::Toml`] or [`FaultPlanError::Rule`] says where the mistake is and what is accepted.
    pub fn from_toml(text: &str) -> Result<Self, FaultPlanError> {
        let File { rule: specs } = toml::from_str(text).map_err(Box::new)?;
        let rule = |(index, spec): (usize, RuleSpec)| {
            let Text(fault) = spec.fault.clone();
            Rule::new(spec).map_err(|source| FaultPlanError::Rule { number: index + 1, fault, source })
        };
        Ok(Self { rules: specs.into_iter().enumerate().map(rule).collect::<Result<_, _>>()? })
    }

    /// Reads a plan from a TOML file.
    ///
    /// # Errors
    /// [`FaultPlanError::File`] if the file can't be read; otherwise the errors of [`FaultPlan::from_toml`].
    pub fn from_file(path: &Path) -> Result<Self, FaultPlanError> {
        let text = fs::read_to_string(path);
        Self::from_toml(&text.map_err(|source| FaultPlanError::File { path: path.to_owned(), source })?)
    }

    /// Appends the rules of `other` to this plan's.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        self.rules.extend(other.rules);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_and_specs_make_the_same_plan() {
        let toml = r#"
            [[rule]]
            fault = "close-before-headers"
            ids = "wfrun_0*"
            times = 1

            [[rule]]
            fault = 'code="00"'
            every = 7
            probability = 0.5
        "#;
        let specs = ["close-before-headers,ids=wfrun_0*,times=1", "code=\"00\",every=7,probability=0.5"];
        let plan = FaultPlan::from_toml(toml).expect("a plan");
        assert_eq!(plan, FaultPlan::from_specs(specs).expect("a plan"));
        assert_eq!(FaultPlan::from_toml("").expect("a plan"), FaultPlan::default());
        let halves = specs.map(|spec| FaultPlan::from_specs([spec]).expect("a plan"));
        let [first, second] = halves;
        assert_eq!(first.then(second), plan);
    }

    #[test]
    fn the_documented_examples_can_be_read() {
        let documentation = include_str!("../../../docs/reference/sandbox.md");
        let (_, from) = documentation.split_once("```toml\n").expect("an example");
        let (example, _) = from.split_once("```").expect("its end");
        assert!(FaultPlan::from_toml(example).expect("a plan").rules.len() > 3);
        let specs = documentation.lines().filter_map(|line| line.split_once("--fault '")?.1.split_once('\''));
        let specs: Vec<&str> = specs.map(|(spec, _)| spec).collect();
        assert!(FaultPlan::from_specs(&specs).expect("a plan").rules.len() > 3, "{specs:?}");
    }

    #[test]
    fn says_which_rule_is_wrong() {
        let message = |toml| FaultPlan::from_toml(toml).expect_err(toml).to_string();
        let second = message("[[rule]]\nfault = \"html\"\n[[rule]]\nfault = \"status=502\"\nevery = 0\n");
        let expected = "rule 2 (`status=502`) of the fault plan is invalid: `every=0` is not valid";
        assert!(second.starts_with(expected), "{second}");
        let unknown = message("[[rule]]\nfault = \"html\"\nevry = 7\n");
        assert!(unknown.contains("line 3") && unknown.contains("evry") && unknown.contains("`every`"), "{unknown}");
        assert!(message("[[rules]]\nfault = \"html\"\n").contains("`rules`"));
        let spec = FaultPlan::from_specs(["html", "html=2"]).expect_err("a value").to_string();
        assert_eq!(spec, "invalid fault `html=2`: `html` takes no value; remove `=2`");
        let missing = FaultPlan::from_file(Path::new("no/such.toml")).expect_err("no file").to_string();
        assert!(missing.contains("no/such.toml"), "{missing}");
    }
}
