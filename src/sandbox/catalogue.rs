//! The sandbox's workflows, their revisions and prices.

use super::die::Die;

/// The number of workflows besides the documented one.
const COUNT: usize = 12;
/// Each workflow's share of orders, in percent.
const SHARES: [u64; COUNT] = [30, 20, 14, 10, 8, 6, 4, 3, 2, 1, 1, 1];
const TITLES: [&str; COUNT] = [
    "图生视频 Image to video",
    "文生图 Text to image",
    "老照片修复 Photo restoration",
    "Product poster",
    "人像换装 Virtual try-on",
    "Video upscaling",
    "Background removal",
    "配音 Voice-over",
    "Line art colouring",
    "数字人 Talking avatar",
    "3D texture",
    "Storyboard",
];

/// One workflow.
pub(super) struct Workflow {
    /// `wf_` and 20 hex digits.
    pub(super) id: String,
    pub(super) title: &'static str,
    /// The price of the newest revision, in units of 10⁻⁸ yuan.
    pub(super) price: i128,
    /// Whether its runs may have external model cost on top of GPU time.
    pub(super) external: bool,
}

/// One version of a workflow, with its price.
pub(super) struct Revision {
    pub(super) workflow: Workflow,
    /// `wfr_` and 20 hex digits.
    pub(super) id: String,
    /// In units of 10⁻⁸ yuan; between 0.01 and 1.25 yuan, with 2 to 4 decimals.
    pub(super) price: i128,
}

/// The workflow of the documented order.
pub(super) fn documented() -> Revision {
    let workflow = Workflow {
        id: "wf_861ef31e94dcfb10e6e7".to_owned(),
        title: "Documented example",
        price: 3_000_000,
        external: false,
    };
    Revision { price: workflow.price, workflow, id: "wfr_f9f2a2dcb99d73b0c3aa".to_owned() }
}

/// All workflows under a seed, the documented one last.
pub(super) fn workflows(seed: u64) -> impl Iterator<Item = Workflow> {
    (0..COUNT).map(move |index| workflow(seed, index)).chain([documented().workflow])
}

/// The revision that an order runs. An order with external cost runs a workflow that may have it.
pub(super) fn revision_of(seed: u64, order: &Die, external: bool) -> Revision {
    let mut left = order.roll("workflow", SHARES.iter().sum());
    let mut index = 0;
    for (candidate, share) in SHARES.into_iter().enumerate() {
        index = candidate;
        if left < share {
            break;
        }
        left -= share;
    }
    if external {
        index -= index % 2;
    }
    let count = revisions(seed, index);
    // The larger of two rolls: newer revisions run more often.
    let chosen = order.roll("revision", count).max(order.roll("newer revision", count));
    let die = revision_die(seed, index, chosen);
    Revision { workflow: workflow(seed, index), id: format!("wfr_{}", die.hex()), price: price(&die) }
}

fn workflow(seed: u64, index: usize) -> Workflow {
    let newest = revisions(seed, index) - 1;
    Workflow {
        id: format!("wf_{}", workflow_die(seed, index).hex()),
        title: TITLES.get(index).copied().unwrap_or_default(),
        price: price(&revision_die(seed, index, newest)),
        external: index.is_multiple_of(2),
    }
}

/// The number of a workflow's revisions: 1 to 4.
fn revisions(seed: u64, workflow: usize) -> u64 {
    1 + workflow_die(seed, workflow).roll("revisions", 4)
}

fn price(revision: &Die) -> i128 {
    // Half of the revisions have a price step of 0.01 yuan, the others of 0.001 or 0.0001.
    let step = revision.pick("price step", [1_000_000, 1_000_000, 100_000, 10_000]);
    let most = revision.pick("price range", [10_000_000, 125_000_000]);
    let steps = (most - 1_000_000) / step + 1;
    1_000_000 + i128::from(revision.roll("price", steps)) * i128::from(step)
}

fn workflow_die(seed: u64, index: usize) -> Die {
    Die::of(seed, &["workflow", &index.to_string()])
}

fn revision_die(seed: u64, workflow: usize, index: u64) -> Die {
    Die::of(seed, &["revision", &workflow.to_string(), &index.to_string()])
}
