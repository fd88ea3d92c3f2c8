//! Every planted cause is found, and random noise gets no false cause.

use proptest::prelude::*;

use super::*;

fn amount(units: i128) -> Amount {
    Amount::from_units(units).expect("28 digits")
}

fn split(quote: i128, charged: i128, released: i128) -> Cause {
    Cause::of_quote_split(amount(quote), amount(charged), amount(released))
}

fn cost(compute: i128, external: i128, total: i128) -> Cause {
    Cause::of_cost_sum(amount(compute), amount(external), amount(total))
}

/// An amount from a cent to a thousand yuan, in units of the 8th decimal: too large for a rounding to be off
/// by only one unit.
fn figure() -> impl Strategy<Value = i128> {
    1_000_003..100_000_000_000_i128
}

#[test]
fn each_cause_is_found_in_an_example() {
    let cases = [
        (split(90_000_000, 148_042_467, 0), Cause::Overage),
        (split(100, 60, 0), Cause::NotReleased),
        (split(100, 60, 100), Cause::ReleasedInFull),
        (split(100, 60, 80), Cause::ReleasedTwice),
        (split(100, 60, -40), Cause::SignFlipped),
        (split(100, -60, 40), Cause::SignFlipped),
        (split(1_000, 600, 40_000), Cause::Scale),
        (split(100_000, 6, 40_000), Cause::Scale),
        (split(1_000, 6, 994_000), Cause::Scale),
        (split(101, 60, 40), Cause::Rounding),
        (split(3_000_000, 1_200_000, 2_300_000), Cause::Rounding),
        (split(1_037, 600, 444), Cause::Unexplained),
        (split(1_037, 600, -444), Cause::Unexplained),
        (split(1_037, -600, 444), Cause::Unexplained),
        (split(1_000, 1_037, 37), Cause::Unexplained),
        (split(1_000, 37, 1_037), Cause::Unexplained),
        (split(1_037, -3, 1_037), Cause::Unexplained),
        (split(-1_037, -1_017, -40), Cause::Unexplained),
        (split(100, 60, 47), Cause::Rounding),
        (split(100, 0, 0), Cause::NotReleased),
        (split(0, 0, 70_000_000), Cause::Unexplained),
        (cost(50, 10, 50), Cause::ExternalLeftOut),
        (cost(50, 10, 10), Cause::ComputeLeftOut),
        (cost(50, 10, 70), Cause::ExternalCountedTwice),
        (cost(50, 10, 110), Cause::ComputeCountedTwice),
        (cost(50, 10, 40), Cause::SignFlipped),
        (cost(10, 50, 40), Cause::SignFlipped),
        (cost(50, 10, 6_000), Cause::Scale),
        (cost(5_000, 1_000, 6), Cause::Scale),
        (cost(50, 10, 61), Cause::Rounding),
        (cost(1_900_001, 600_000, 2_000_000), Cause::Unexplained),
        (cost(1_900_001, 600_000, 3_000_000), Cause::Rounding),
        (cost(50, 10, 67), Cause::Unexplained),
        (cost(50_000_000, 10_000_000, 0), Cause::Unexplained),
    ];
    for (index, (found, expected)) in cases.into_iter().enumerate() {
        assert_eq!(found, expected, "case {index}");
    }
}

#[test]
fn the_largest_amounts_do_not_overflow() {
    let largest = 10_i128.pow(28) - 1;
    for [first, second, third] in [[1, 1, -1], [-1, -1, 1], [1, -1, -1], [-1, 1, 1]] {
        let _ = split(first * largest, second * largest, third * largest);
        let _ = cost(first * largest, second * largest, third * largest);
    }
}

#[test]
fn each_check_with_causes_names_each_once() {
    let words = |code| Cause::of_check(code).iter().map(|cause| cause.code()).collect::<Vec<_>>();
    let of_quote_split = [
        "overage",
        "not-released",
        "released-in-full",
        "released-twice",
        "sign-flipped",
        "scale",
        "rounding",
        "unexplained",
    ];
    let of_cost_sum = [
        "external-left-out",
        "compute-left-out",
        "external-counted-twice",
        "compute-counted-twice",
        "sign-flipped",
        "scale",
        "rounding",
        "unexplained",
    ];
    assert_eq!((words("quote-split"), words("cost-sum")), (of_quote_split.to_vec(), of_cost_sum.to_vec()));
    assert_eq!(words("expected-mismatch"), ["sign-flipped", "scale", "rounding"]);
    assert_eq!(words("currency"), Vec::<&str>::new());
}

#[test]
fn causes_in_our_books_are_found() {
    let cause = |ours, provider, decimals| {
        Cause::of_expected_mismatch(Sum::from_units(ours).expect("38 digits"), amount(provider), decimals)
    };
    let cases = [
        (cause(-28_780, 28_780, Some(8)), Some(Cause::SignFlipped)),
        (cause(2_878_000, 28_780, Some(6)), Some(Cause::Scale)),
        (cause(288, 28_800, Some(8)), Some(Cause::Scale)),
        (cause(-2_880_000, 28_800, Some(8)), None),
        (cause(21_000_000, 20_733_560, Some(2)), Some(Cause::Rounding)),
        (cause(21_000_000, 20_500_000, Some(2)), Some(Cause::Rounding)),
        (cause(-21_000_000, -20_500_000, Some(2)), Some(Cause::Rounding)),
        (cause(20_000_000, 20_500_000, Some(2)), None),
        (cause(20_000_000, 17_000_000, Some(2)), None),
        (cause(20_000_000, 17_000_000, Some(1)), Some(Cause::Rounding)),
        (cause(0, 28_780, Some(2)), Some(Cause::Rounding)),
        (cause(0, 28_780, None), None),
        (cause(28_781, 28_780, Some(8)), None),
    ];
    for (index, (found, expected)) in cases.into_iter().enumerate() {
        assert_eq!(found, expected, "case {index}");
    }
    let _ = cause(10_i128.pow(38) - 1, 10_i128.pow(28) - 1, Some(0));
}

proptest! {
    #[test]
    fn causes_planted_in_a_split_are_found(charged in figure(), released in figure(), power in 1_u32..=8) {
        let quote = charged + released;
        let ten = 10_i128.pow(power);
        prop_assert_eq!(split(charged, quote, 0), Cause::Overage);
        prop_assert_eq!(split(quote, charged, 0), Cause::NotReleased);
        prop_assert_eq!(split(quote, charged, quote), Cause::ReleasedInFull);
        prop_assert_eq!(split(quote, charged, -released), Cause::SignFlipped);
        prop_assert_eq!(split(quote, -charged, released), Cause::SignFlipped);
        if 2 * released != quote {
            prop_assert_eq!(split(quote, charged, 2 * released), Cause::ReleasedTwice);
        }
        prop_assert_eq!(split(charged + released * ten, charged, released), Cause::Scale);
        prop_assert_eq!(split(charged * ten + released, charged, released), Cause::Scale);
        prop_assert_eq!(split(quote, charged * ten, released), Cause::Scale);
        prop_assert_eq!(split(quote, charged, released * ten), Cause::Scale);
    }

    #[test]
    fn causes_planted_in_a_cost_are_found(compute in figure(), external in figure(), power in 1_u32..=8) {
        prop_assume!(compute != external);
        let sum = compute + external;
        prop_assert_eq!(cost(compute, external, compute), Cause::ExternalLeftOut);
        prop_assert_eq!(cost(compute, external, external), Cause::ComputeLeftOut);
        prop_assert_eq!(cost(compute, external, sum + external), Cause::ExternalCountedTwice);
        prop_assert_eq!(cost(compute, external, sum + compute), Cause::ComputeCountedTwice);
        let difference = compute - external;
        if ![compute, external].contains(&difference.abs()) {
            prop_assert_eq!(cost(compute, external, difference), Cause::SignFlipped);
            prop_assert_eq!(cost(compute, external, -difference), Cause::SignFlipped);
        }
        prop_assert_eq!(cost(compute, external, sum * 10_i128.pow(power)), Cause::Scale);
    }

    #[test]
    fn causes_planted_in_our_books_are_found(provider in figure(), power in 1_i8..=8, decimals in 0_u32..8) {
        let cause = |ours: Sum| Cause::of_expected_mismatch(ours, amount(provider), Some(decimals));
        let ours = |units| Sum::from_units(units).expect("38 digits");
        let ten = 10_i128.pow(power.unsigned_abs().into());
        prop_assert_eq!(cause(ours(-provider)), Some(Cause::SignFlipped));
        prop_assert_eq!(cause(ours(provider * ten)), Some(Cause::Scale));
        prop_assert_eq!(power_of_ten(ours(provider * ten), ours(provider)), Some(power));
        prop_assert_eq!(power_of_ten(ours(provider), ours(provider * ten)), Some(-power));
        let rounded = ours(provider).rounded(decimals).expect("38 digits");
        // A bare 0 means that the charge was not booked.
        let is_bare_zero = rounded.is_zero() && decimals < 2;
        if rounded != ours(provider) {
            prop_assert_eq!(cause(rounded), (!is_bare_zero).then_some(Cause::Rounding));
        }
    }

    #[test]
    fn a_rounding_is_found(
        charged in figure(), released in figure(), place in prop::sample::select(vec![2_u32, 4, 6]),
    ) {
        let last = 10_i128.pow(8 - place);
        let sum = charged + released;
        let rounded = (sum + last / 2) / last * last;
        prop_assume!(rounded != sum);
        prop_assert_eq!(split(rounded, charged, released), Cause::Rounding);
        prop_assert_eq!(split(sum + 1, charged, released), Cause::Rounding);
        prop_assert_eq!(split(sum - 1, charged, released), Cause::Rounding);
    }

    /// Noise that happens to fit no cause is `unexplained`.
    #[test]
    fn noise_gets_no_cause(charged in figure(), released in figure(), noise in 7_i128..1_000_000) {
        let quote = charged + released + noise;
        let causes = [
            released == quote || 2 * charged + released == 2 * quote,
            (1..=8).any(|power| {
                let ten = 10_i128.pow(power);
                [(charged, released), (released, charged)]
                    .into_iter()
                    .any(|(part, other)| part * ten + other == quote || part + other * ten == quote * ten)
            }),
            [2_u32, 4, 6].into_iter().any(|place| {
                let last = 10_i128.pow(8 - place);
                quote % last == 0 && noise * 2 <= last
            }),
        ];
        prop_assume!(!causes.contains(&true));
        prop_assert_eq!(split(quote, charged, released), Cause::Unexplained);
    }
}
