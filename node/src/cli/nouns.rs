//! What there is to do: each noun with its verbs, one verb, one line.

use super::verb::noun;
use super::{
    case_amend, case_answer, case_approve, case_cancel, case_files, case_list, case_logs,
    case_pause, case_reject, case_report, case_resume, case_route, case_settle, case_show,
    case_submit, case_watch, chaos_clock, chaos_manager, chaos_plan, chaos_report, chaos_run,
    chaos_stop, chaos_warden, cluster_init, cluster_recover, cluster_revoke, cluster_token,
    cluster_tokens, config_check, config_default, human_add, human_import, human_list,
    human_remove, human_set_role, human_show, human_token, node_demote, node_drain, node_join,
    node_list, node_promote, node_remove, node_run, node_show, node_undrain, policy_check,
    policy_put, policy_remove, policy_show, room_list, room_post, room_read, secret_list,
    secret_remove, secret_set, target_add, target_check, target_list, target_remove, team_explain,
    team_list, team_show, worker_explain, worker_list, worker_logs, worker_replace, worker_show,
};

noun! {
    /// What there is to do with teams.
    Team {
        Explain(team_explain::TeamExplain),
        List(team_list::TeamList),
        Show(team_show::TeamShow),
    }
}

noun! {
    /// What there is to do with workers.
    Worker {
        Explain(worker_explain::WorkerExplain),
        List(worker_list::WorkerList),
        Show(worker_show::WorkerShow),
        Logs(worker_logs::WorkerLogs),
        Replace(worker_replace::WorkerReplace),
    }
}

noun! {
    /// What there is to do with cases.
    Case {
        Submit(case_submit::CaseSubmit),
        List(case_list::CaseList),
        Show(case_show::CaseShow),
        Watch(case_watch::CaseWatch),
        Logs(case_logs::CaseLogs),
        Files(case_files::CaseFiles),
        Report(case_report::CaseReport),
        Pause(case_pause::CasePause),
        Resume(case_resume::CaseResume),
        Route(case_route::CaseRoute),
        Cancel(case_cancel::CaseCancel),
        Amend(case_amend::CaseAmend),
        Answer(case_answer::CaseAnswer),
        Approve(case_approve::CaseApprove),
        Reject(case_reject::CaseReject),
        Settle(case_settle::CaseSettle),
    }
}

noun! {
    /// What there is to do with people.
    Human {
        Add(human_add::HumanAdd),
        Import(human_import::HumanImport),
        List(human_list::HumanList),
        Show(human_show::HumanShow),
        Remove(human_remove::HumanRemove),
        SetRole(human_set_role::HumanSetRole),
        Token(human_token::HumanToken),
    }
}

noun! {
    /// What there is to do with policies.
    Policy {
        Show(policy_show::PolicyShow),
        Put(policy_put::PolicyPut),
        Check(policy_check::PolicyCheck),
        Remove(policy_remove::PolicyRemove),
    }
}

noun! {
    /// What there is to do with rooms.
    Room {
        List(room_list::RoomList),
        Read(room_read::RoomRead),
        Post(room_post::RoomPost),
    }
}

noun! {
    /// What there is to do with nodes.
    Node {
        Run(node_run::NodeRun),
        Join(node_join::NodeJoin),
        List(node_list::NodeList),
        Show(node_show::NodeShow),
        Drain(node_drain::NodeDrain),
        Undrain(node_undrain::NodeUndrain),
        Remove(node_remove::NodeRemove),
        Promote(node_promote::NodePromote),
        Demote(node_demote::NodeDemote),
    }
}

noun! {
    /// What there is to do with the cluster.
    Cluster {
        Init(cluster_init::ClusterInit),
        Token(cluster_token::ClusterToken),
        Tokens(cluster_tokens::ClusterTokens),
        Revoke(cluster_revoke::ClusterRevoke),
        Recover(cluster_recover::ClusterRecover),
    }
}

noun! {
    /// What can be broken on purpose.
    Chaos {
        Plan(chaos_plan::ChaosPlan),
        Run(chaos_run::ChaosRun),
        Stop(chaos_stop::ChaosStop),
        Report(chaos_report::ChaosReport),
        Manager(chaos_manager::ChaosManager),
        Clock(chaos_clock::ChaosClock),
        Warden(chaos_warden::ChaosWarden),
    }
}

noun! {
    /// What there is to do with targets.
    Target {
        Add(target_add::TargetAdd),
        List(target_list::TargetList),
        Check(target_check::TargetCheck),
        Remove(target_remove::TargetRemove),
    }
}

noun! {
    /// What there is to do with secrets.
    Secret {
        Set(secret_set::SecretSet),
        List(secret_list::SecretList),
        Remove(secret_remove::SecretRemove),
    }
}

noun! {
    /// What there is to do with settings.
    Config {
        Check(config_check::ConfigCheck),
        Default(config_default::ConfigDefault),
    }
}
