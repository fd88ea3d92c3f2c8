//! The settings that affect judgement, as reports and hashes show them: no paths, no rates.

use serde::{Deserialize, Serialize};

use crate::checks::{CATALOGUE, Judging};
use crate::domain::money::Amount;

/// The settings that affect judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgingSettings {
    /// The codes of the checks that judge.
    pub checks: Vec<String>,
    /// The only currency expected, if one is set.
    pub currency: Option<String>,
    /// By how much an identity may be off, with 8 decimals.
    pub tolerance: String,
}

/// Settings of a report that this program can't judge by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsProblem {
    /// The tolerance is no amount.
    #[error("the tolerance {0:?} is no amount")]
    Tolerance(String),
    /// A check that this version does not know.
    #[error("this tieout knows no check {0:?}: use the newer tieout that made the report")]
    UnknownCheck(String),
}

impl Default for JudgingSettings {
    /// Those of a job that names none.
    fn default() -> Self {
        Self::from(&Judging::default())
    }
}

impl From<&Judging> for JudgingSettings {
    fn from(judging: &Judging) -> Self {
        Self {
            checks: judging.checks().map(|check| check.code.to_owned()).collect(),
            currency: judging.currency.clone(),
            tolerance: judging.tolerance.to_string(),
        }
    }
}

impl JudgingSettings {
    /// To judge as by these settings again. A check that was added since does not judge.
    ///
    /// # Errors
    /// [`SettingsProblem`].
    pub fn judging(&self) -> Result<Judging, SettingsProblem> {
        let known = |code: &String| CATALOGUE.iter().any(|check| check.code == code);
        if let Some(unknown) = self.checks.iter().find(|code| !known(code)) {
            return Err(SettingsProblem::UnknownCheck(unknown.clone()));
        }
        let off = CATALOGUE.iter().map(|check| check.code).filter(|code| !self.checks.iter().any(|on| on == code));
        let tolerance = Amount::parse(&self.tolerance).ok().filter(|tolerance| !tolerance.is_negative());
        Ok(Judging {
            tolerance: tolerance.ok_or_else(|| SettingsProblem::Tolerance(self.tolerance.clone()))?,
            currency: self.currency.clone(),
            off: off.collect(),
        })
    }
}
