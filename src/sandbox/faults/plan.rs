//! A plan: rules in order, of which the first that matches wins.

use std::fs;
use std::path::Path;

use super::error::FaultPlanError;
use super::rule::Rule;
use super::written::{Text, Written};

/// Which requests are mistreated, and how. The default plan mistreats none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultPlan {
    pub(super) rules: Vec<Rule>,
}

/// A plan as TOML.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Written>,
}

impl FaultPlan {
    /// A plan of rules written `kind[=value][,key=value]...`.
    ///
    /// # Errors
    /// [`FaultPlanError::Spec`] names the rule, the key and what would do.
    pub fn from_specs<S: AsRef<str>>(specs: impl IntoIterator<Item = S>) -> Result<Self, FaultPlanError> {
        let rule = |spec: S| {
            let spec = spec.as_ref();
            Rule::from_spec(spec).map_err(|source| FaultPlanError::Spec { spec: spec.to_owned(), source })
        };
        Ok(Self { rules: specs.into_iter().map(rule).collect::<Result<_, _>>()? })
    }

    /// A plan of TOML `[[rule]]` tables.
    ///
    /// # Errors
    /// [`FaultPlanError::Toml`] or [`FaultPlanError::Rule`]: where, and what would do.
    pub fn from_toml(text: &str) -> Result<Self, FaultPlanError> {
        let File { rule: written } = toml::from_str(text).map_err(Box::new)?;
        let rule = |(index, written): (usize, Written)| {
            let Text(fault) = written.fault.clone();
            Rule::new(written).map_err(|source| FaultPlanError::Rule { number: index + 1, fault, source })
        };
        Ok(Self { rules: written.into_iter().enumerate().map(rule).collect::<Result<_, _>>()? })
    }

    /// A plan in a TOML file.
    ///
    /// # Errors
    /// [`FaultPlanError::File`] when it can't be read; else as [`FaultPlan::from_toml`].
    pub fn from_file(path: &Path) -> Result<Self, FaultPlanError> {
        let text = fs::read_to_string(path);
        Self::from_toml(&text.map_err(|source| FaultPlanError::File { path: path.to_owned(), source })?)
    }

    /// This plan's rules, then another one's.
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
    fn the_documented_plan_is_one() {
        let documentation = include_str!("../../../docs/sandbox.md");
        let (_, from) = documentation.split_once("```toml\n").expect("an example");
        let (example, _) = from.split_once("```").expect("its end");
        assert!(FaultPlan::from_toml(example).expect("a plan").rules.len() > 3);
        let specs = documentation.lines().filter_map(|line| line.split_once("--fault '")?.1.split_once('\''));
        let specs: Vec<&str> = specs.map(|(spec, _)| spec).collect();
        assert!(FaultPlan::from_specs(&specs).expect("a plan").rules.len() > 3, "{specs:?}");
    }

    #[test]
    fn says_which_rule_is_wrong() {
        let said = |toml| FaultPlan::from_toml(toml).expect_err(toml).to_string();
        let second = said("[[rule]]\nfault = \"html\"\n[[rule]]\nfault = \"status=502\"\nevery = 0\n");
        assert!(second.starts_with("rule 2 (`status=502`) of the fault plan is wrong: `every=0` won't do"), "{second}");
        let unknown = said("[[rule]]\nfault = \"html\"\nevry = 7\n");
        assert!(unknown.contains("line 3") && unknown.contains("evry") && unknown.contains("`every`"), "{unknown}");
        assert!(said("[[rules]]\nfault = \"html\"\n").contains("`rules`"));
        let spec = FaultPlan::from_specs(["html", "html=2"]).expect_err("a value").to_string();
        assert_eq!(spec, "the fault `html=2` can't be planned: `html` takes no value; leave `=2` out");
        let missing = FaultPlan::from_file(Path::new("no/such.toml")).expect_err("no file").to_string();
        assert!(missing.contains("no/such.toml"), "{missing}");
    }
}
