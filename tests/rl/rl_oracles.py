"""Every estimator again, as a slow loop over one token at a time: ``ORACLES[name](inputs, settings, i, t)``.

Written from the formulas, in plain floats; nothing of ``rlsf_lightning.rl`` is called.
"""

import math


def actions(e, i):
    return [t for t, flag in enumerate(e.is_credited_BT[i].tolist()) if flag]


def valid(e, i):
    return bool(actions(e, i))


def others(e, i):
    first = i // e.group_size * e.group_size
    return [j for j in range(first, first + e.group_size) if j != i and valid(e, j)]


def reward(e, i, t):
    return float(e.verifier_BT[i, t]) + float(e.penalties_BT[i, t])


def penalty(e, i, t):
    return float(e.penalties_BT[i, t])


def blame(e, i, t):
    """At most 0; -1 on the last action of a failing sample that has none."""
    if bool(e.passed_B[i]):
        return 0.0
    placed = {k: min(0.0, float(e.verifier_BT[i, k])) for k in actions(e, i)}
    if any(x < 0 for x in placed.values()):
        return placed[t]
    return -1.0 if t == actions(e, i)[-1] else 0.0


def to_go(e, i, t, gamma, channel=reward):
    return sum(gamma**n * channel(e, i, k) for n, k in enumerate(k for k in actions(e, i) if k >= t))


def standing(e, j, t, gamma, channel=reward):
    """Reward-to-go at an index; beyond the end, what the last action got."""
    return to_go(e, j, min(t, actions(e, j)[-1]), gamma, channel)


def bellman(rewards, values, gamma, lam):
    """GAE's definition as a double sum."""
    n = len(rewards)
    following = [*values[1:], 0.0]
    deltas = [rewards[k] + gamma * following[k] - values[k] for k in range(n)]
    return [sum((gamma * lam) ** (j - k) * deltas[j] for j in range(k, n)) for k in range(n)]


def gae(e, s, i, t):
    at = actions(e, i)
    values = [float(e.value_BT[i, k]) for k in at]
    rewards = [reward(e, i, k) for k in at]
    place = at.index(t)
    value_lam = s.lam if s.value_lam is None else s.value_lam
    returns = bellman(rewards, values, s.gamma, value_lam)[place] + values[place]
    return bellman(rewards, values, s.gamma, s.lam)[place], returns


def etpo(e, s, i, t):
    at = actions(e, i)
    d = [float(e.logp_BT[i, k]) - float(e.ref_logp_BT[i, k]) for k in at]
    values = [float(e.value_BT[i, k]) for k in at]
    rewards = [reward(e, i, k) - s.kl_beta * s.gamma * after for k, after in zip(at, [*d[1:], 0.0], strict=True)]
    place = at.index(t)
    value_lam = s.lam if s.value_lam is None else s.value_lam
    returns = bellman(rewards, values, s.gamma, value_lam)[place] + values[place]
    return bellman(rewards, values, s.gamma, s.lam)[place] - s.kl_beta * d[place], returns


def reward_to_go(e, s, i, t):
    return to_go(e, i, t, s.gamma)


def reinforce_pp(e, s, i, t):
    everything = [to_go(e, j, k, s.gamma) for j in range(len(e.passed_B)) for k in actions(e, j)]
    mean = sum(everything) / len(everything)
    variance = sum((x - mean) ** 2 for x in everything) / len(everything)
    return (to_go(e, i, t, s.gamma) - mean) / math.sqrt(variance + 1e-8)


def rloo(e, s, i, t, channel=reward):
    rest = others(e, i)
    if not rest:
        return 0.0
    return to_go(e, i, t, s.gamma, channel) - sum(standing(e, j, t, s.gamma, channel) for j in rest) / len(rest)


def penalties(e, s, i, t):
    """As rloo; with one sample a prompt there is no baseline at all."""
    return to_go(e, i, t, s.gamma, penalty) if e.group_size == 1 else rloo(e, s, i, t, penalty)


def dr_grpo(e, s, i, t):
    group = [i, *others(e, i)]
    return to_go(e, i, t, s.gamma) - sum(standing(e, j, t, s.gamma) for j in group) / len(group)


def spread(numbers):
    mean = sum(numbers) / len(numbers)
    return math.sqrt(sum((x - mean) ** 2 for x in numbers) / len(numbers))


def grpo(e, s, i, t):
    group = [i, *others(e, i)]
    spreads = [spread([sum(reward(e, j, k) for k in actions(e, j)) for j in group])]
    spreads += [spread([standing(e, j, k, s.gamma) for j in group]) for k in range(e.ids_BT.shape[1])]
    return 0.0 if max(spreads) < 1e-6 else dr_grpo(e, s, i, t) / max(spreads)


def viable_prefix(e, s, i, t, with_penalties=True):
    rest = others(e, i)
    extra = penalties(e, s, i, t) if with_penalties else 0.0
    if not rest:
        return extra
    p = sum(bool(e.passed_B[j]) for j in rest) / len(rest)
    return extra + (1 - p if bool(e.passed_B[i]) else p * blame(e, i, t))


def prefix_tree(e, s, i, t):
    ids = e.ids_BT.tolist()
    siblings = [j for j in others(e, i) if t in actions(e, j) and ids[j][:t] == ids[i][:t]]
    if not siblings:
        return viable_prefix(e, s, i, t)
    baseline = sum(to_go(e, j, t, s.gamma, blame) for j in siblings) / len(siblings)
    return to_go(e, i, t, s.gamma, blame) - baseline + penalties(e, s, i, t)


def vine(e, s, i, t):
    k = int(e.step_BT[i, t])
    extra = penalties(e, s, i, t)
    if not (bool(e.is_step_value_known_BK[i, k]) and bool(e.is_step_value_known_BK[i, k + 1])):
        return extra
    tokens = [j for j in actions(e, i) if int(e.step_BT[i, j]) == k]
    earned = sum(s.gamma**n * float(e.verifier_BT[i, j]) for n, j in enumerate(tokens))
    after = s.gamma ** len(tokens) * float(e.step_value_BK[i, k + 1])
    return earned + after - float(e.step_value_BK[i, k]) + extra


ORACLES = {
    "gae": gae,
    "etpo": etpo,
    "reward_to_go": reward_to_go,
    "reinforce_pp": reinforce_pp,
    "rloo": rloo,
    "grpo": grpo,
    "dr_grpo": dr_grpo,
    "viable_prefix": viable_prefix,
    "prefix_tree": prefix_tree,
    "vine": vine,
}
