//! Which column is what: the headings by which it is known, in English and in Chinese.
//!
//! Capitals, spaces, `_`, `-`, `.`, `:`, `*` and what stands in brackets do not count, so that
//! `Employee-ID (required)` is `employeeid`.

/// What a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// What people are called where they log in.
    Username,
    /// Their number among the organisation's people.
    Employee,
    /// What they are called by people.
    Display,
}

impl Column {
    /// What it is called in a message.
    pub fn name(self) -> &'static str {
        match self {
            Self::Username => "username",
            Self::Employee => "employee id",
            Self::Display => "name",
        }
    }
}

/// The headings of a column of usernames.
pub const USERNAME: [&str; 21] = [
    "username",
    "user",
    "login",
    "loginname",
    "loginid",
    "account",
    "accountname",
    "useraccount",
    "用户名",
    "用户名称",
    "用户账号",
    "用户帐号",
    "用户",
    "账号",
    "帐号",
    "账户",
    "帐户",
    "账户名",
    "登录名",
    "登录账号",
    "域账号",
];

/// The headings of a column of employee ids.
pub const EMPLOYEE: [&str; 24] = [
    "employeeid",
    "employeeno",
    "employeenumber",
    "employeecode",
    "empid",
    "empno",
    "staffid",
    "staffno",
    "staffnumber",
    "personnelnumber",
    "personnelno",
    "工号",
    "员工号",
    "员工编号",
    "员工工号",
    "员工id",
    "职员编号",
    "职工号",
    "职工编号",
    "人员编号",
    "人员工号",
    "雇员编号",
    "雇员号",
    "员工代码",
];

/// The headings of a column of names.
pub const DISPLAY: [&str; 12] = [
    "name",
    "fullname",
    "displayname",
    "realname",
    "姓名",
    "名字",
    "真实姓名",
    "员工姓名",
    "中文名",
    "显示名",
    "显示名称",
    "昵称",
];

/// Says what a column with that heading has, if it is known.
pub(super) fn column(heading: &str) -> Option<Column> {
    let plain = plain(heading);
    let is_in = |list: &[&str]| list.contains(&plain.as_str());
    if is_in(&USERNAME) {
        Some(Column::Username)
    } else if is_in(&EMPLOYEE) {
        Some(Column::Employee)
    } else if is_in(&DISPLAY) {
        Some(Column::Display)
    } else {
        None
    }
}

/// A heading without what people vary in it.
fn plain(heading: &str) -> String {
    let mut depth = 0_usize;
    let mut plain = String::new();
    for c in heading.chars() {
        match c {
            '(' | '（' | '[' | '【' => depth += 1,
            ')' | '）' | ']' | '】' => depth = depth.saturating_sub(1),
            '_' | '-' | '.' | ':' | '：' | '*' | '＊' | '#' | '\u{feff}' | '\u{200b}' => {}
            _ if depth > 0 || c.is_whitespace() => {}
            _ => plain.extend(c.to_lowercase()),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{Column, DISPLAY, EMPLOYEE, USERNAME, column, plain};

    #[test]
    fn headings_are_known_however_they_are_written() {
        for (heading, wanted) in [
            (" User Name ", Column::Username),
            ("LOGIN", Column::Username),
            ("用户名（必填）", Column::Username),
            ("Employee-ID*", Column::Employee),
            ("Staff No.", Column::Employee),
            ("员工 编号：", Column::Employee),
            ("Full_Name", Column::Display),
            ("姓名", Column::Display),
        ] {
            assert_eq!(column(heading), Some(wanted), "{heading}");
        }
        assert_eq!(column("Department"), None);
        assert_eq!(column(""), None);
    }

    #[test]
    fn the_lists_are_plain_and_no_heading_means_two_things() {
        let mut all: Vec<&str> = [&USERNAME[..], &EMPLOYEE[..], &DISPLAY[..]].concat();
        assert!(all.iter().all(|heading| plain(heading) == *heading));
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
