//! Whose an avatar is, and what others may do with it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Code, Error, Result};

/// Longest text, in bytes, and most authors or references.
const LONGEST: usize = 2_000;
const MOST: usize = 64;

/// The licence of a VRM, as VRM 1.0 has it. What is not said is as strict as the format allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct VrmMeta {
    /// Name of the avatar.
    pub name: String,
    /// Version of the avatar.
    pub version: Option<String>,
    /// Who made it; at least one.
    pub authors: Vec<String>,
    /// Who holds the rights.
    pub copyright_information: Option<String>,
    /// How to reach them.
    pub contact_information: Option<String>,
    /// Works it is made after.
    pub references: Vec<String>,
    /// Licences of others' works in it.
    pub third_party_licenses: Option<String>,
    /// The licence's text.
    pub license_url: String,
    /// Who may perform with it.
    pub avatar_permission: AvatarPermission,
    /// It may be shown in excessively violent works.
    pub allow_excessively_violent_usage: bool,
    /// It may be shown in excessively sexual works.
    pub allow_excessively_sexual_usage: bool,
    /// Who may earn by it.
    pub commercial_usage: CommercialUsage,
    /// It may be shown in political or religious works.
    pub allow_political_or_religious_usage: bool,
    /// It may be shown in antisocial or hateful works.
    pub allow_antisocial_or_hate_usage: bool,
    /// The author has to be named.
    pub credit_notation: CreditNotation,
    /// The file may be passed on.
    pub allow_redistribution: bool,
    /// It may be changed.
    pub modification: Modification,
    /// Where another licence is.
    pub other_license_url: Option<String>,
}

impl Default for VrmMeta {
    fn default() -> Self {
        Self {
            name: "Avatar".to_owned(),
            version: None,
            authors: vec!["Unknown".to_owned()],
            copyright_information: None,
            contact_information: None,
            references: Vec::new(),
            third_party_licenses: None,
            license_url: "https://vrm.dev/licenses/1.0/".to_owned(),
            avatar_permission: AvatarPermission::default(),
            allow_excessively_violent_usage: false,
            allow_excessively_sexual_usage: false,
            commercial_usage: CommercialUsage::default(),
            allow_political_or_religious_usage: false,
            allow_antisocial_or_hate_usage: false,
            credit_notation: CreditNotation::default(),
            allow_redistribution: false,
            modification: Modification::default(),
            other_license_url: None,
        }
    }
}

/// Who may perform with an avatar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AvatarPermission {
    /// Its author.
    #[default]
    OnlyAuthor,
    /// Who has a licence of their own.
    OnlySeparatelyLicensedPerson,
    /// Everyone.
    Everyone,
}

/// Who may earn by an avatar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CommercialUsage {
    /// Nobody: private use.
    #[default]
    PersonalNonProfit,
    /// Persons.
    PersonalProfit,
    /// Companies too.
    Corporation,
}

/// Whether the author has to be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CreditNotation {
    /// Yes.
    #[default]
    Required,
    /// No.
    Unnecessary,
}

/// Whether an avatar may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Modification {
    /// No.
    #[default]
    Prohibited,
    /// For oneself.
    AllowModification,
    /// And the changed one passed on.
    AllowModificationRedistribution,
}

impl VrmMeta {
    /// Whether it can stand in a file.
    ///
    /// # Errors
    /// `invalid_option` for a name or an author that is empty, an address that is none, a text or a list that is too long.
    pub fn check(&self) -> Result<()> {
        let wrong = |message: String| {
            Error::new(Code::InvalidOption, format!("vrm_meta: {message}"))
                .with_remedy("write it as `meta` of the VRM 1.0 specification has it")
        };
        let blank = |text: &String| text.trim().is_empty();
        if blank(&self.name) {
            return Err(wrong("the name is empty".to_owned()));
        }
        if self.authors.is_empty() || self.authors.iter().any(blank) {
            return Err(wrong("there is no author, or one without a name".to_owned()));
        }
        for (key, url) in
            [("licenseUrl", Some(&self.license_url)), ("otherLicenseUrl", self.other_license_url.as_ref())]
        {
            if url.is_some_and(|url| !(url.starts_with("https://") || url.starts_with("http://"))) {
                return Err(wrong(format!("{key} is no http address")));
            }
        }
        let own = [&self.version, &self.copyright_information, &self.contact_information];
        let own = own.into_iter().chain([&self.third_party_licenses, &self.other_license_url]).flatten();
        let mut texts =
            own.chain([&self.name, &self.license_url]).chain(&self.authors).chain(&self.references);
        if texts.any(|text| text.len() > LONGEST) {
            return Err(wrong(format!("a text is longer than {LONGEST} bytes")));
        }
        if self.authors.len() > MOST || self.references.len() > MOST {
            return Err(wrong(format!("there are more than {MOST} authors or references")));
        }
        Ok(())
    }

    /// Called so, where it has no name of its own.
    #[must_use]
    pub fn or_named(&self, name: &str) -> Self {
        let own = self.name != Self::default().name || name.is_empty();
        Self { name: if own { self.name.clone() } else { name.to_owned() }, ..self.clone() }
    }

    /// As `VRMC_vrm.meta`.
    pub(super) fn version_1(&self, picture: Option<usize>) -> Value {
        let known = Self { authors: self.named_authors(), ..self.clone() };
        let mut out = serde_json::to_value(known).unwrap_or_default();
        if let Value::Object(out) = &mut out {
            // The format has no empty values.
            out.retain(|_, v| !v.is_null() && v.as_array().is_none_or(|a| !a.is_empty()));
            if let Some(picture) = picture {
                out.insert("thumbnailImage".into(), picture.into());
            }
        }
        out
    }

    /// As `VRM.meta`, with the nearest of the old format's answers that allows no more.
    pub(super) fn version_0(&self, texture: Option<usize>) -> Value {
        let allow = |yes: bool| if yes { "Allow" } else { "Disallow" };
        let who = match self.avatar_permission {
            AvatarPermission::OnlyAuthor => "OnlyAuthor",
            AvatarPermission::OnlySeparatelyLicensedPerson => "ExplicitlyLicensedPerson",
            AvatarPermission::Everyone => "Everyone",
        };
        json!({
            "title": self.name,
            "version": self.version.as_deref().unwrap_or_default(),
            "author": self.named_authors().join(", "),
            "contactInformation": self.contact_information.as_deref().unwrap_or_default(),
            "reference": self.references.join(", "),
            "texture": texture.map_or(json!(-1), Into::into),
            "allowedUserName": who,
            // The format spells these words so.
            "violentUssageName": allow(self.allow_excessively_violent_usage),
            "sexualUssageName": allow(self.allow_excessively_sexual_usage),
            "commercialUssageName": allow(self.commercial_usage == CommercialUsage::Corporation),
            "otherPermissionUrl": "",
            "licenseName": if self.allow_redistribution { "Other" } else { "Redistribution_Prohibited" },
            "otherLicenseUrl": self.other_license_url.as_deref().unwrap_or(&self.license_url),
        })
    }

    fn named_authors(&self) -> Vec<String> {
        let named: Vec<String> = self.authors.iter().filter(|a| !a.trim().is_empty()).cloned().collect();
        if named.is_empty() { Self::default().authors } else { named }
    }
}
