package uk.ac.cam.ch.wwmm.opsin;

import dk.brics.automaton.RunAutomaton;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** How far OPSIN's grammar can follow a text. */
final class Reach {
    private static final String[] PHRASES = {"and ", "compound with ", "compd. with "};

    private final RunAutomaton grammar;
    private final char[] symbols;
    private final RunAutomaton[] expressions;
    private final Map<String, BitSet[]> words = new HashMap<>();
    private final BitSet emptyTokens = new BitSet();
    private final BitSet accepting = new BitSet();
    private final BitSet everywhere = new BitSet();
    /** Of each symbol: the states that it leads on from, and all that it leads to. */
    private final BitSet[] sources;
    private final BitSet[] steps;
    /** The states that tokens without a character lead on from, and where to; all that a new word may begin in. */
    private final BitSet silent = new BitSet();
    private final BitSet[] silentSteps;
    private final BitSet start = new BitSet();

    Reach(ParseRules rules) {
        grammar = (RunAutomaton) NameServer.hidden(ParseRules.class, "chemAutomaton", rules);
        symbols = (char[]) NameServer.hidden(ParseRules.class, "stateSymbols", rules);
        expressions = (RunAutomaton[]) NameServer.hidden(ParseRules.class, "symbolRegexAutomataDict", rules);
        Object[] lookarounds = (Object[]) NameServer.hidden(ParseRules.class, "symbolRegexesDict", rules);
        OpsinRadixTrie[] tries = (OpsinRadixTrie[]) NameServer.hidden(ParseRules.class, "symbolTokenNamesDict", rules);
        for (int i = 0; i < symbols.length; i++) {
            if (lookarounds[i] != null) {
                emptyTokens.set(i);
            }
            if (tries[i] != null) {
                collect(tries[i].rootNode, "", i);
            }
        }
        sources = new BitSet[symbols.length];
        steps = new BitSet[symbols.length];
        for (int state = 0; state < grammar.getSize(); state++) {
            accepting.set(state, grammar.isAccept(state));
        }
        for (int i = 0; i < symbols.length; i++) {
            sources[i] = new BitSet();
            steps[i] = new BitSet();
            for (int state = 0; state < grammar.getSize(); state++) {
                int target = grammar.step(state, symbols[i]);
                if (target != -1) {
                    sources[i].set(state);
                    steps[i].set(target);
                }
            }
        }
        silentSteps = new BitSet[grammar.getSize()];
        for (int i = emptyTokens.nextSetBit(0); i >= 0; i = emptyTokens.nextSetBit(i + 1)) {
            for (int state = sources[i].nextSetBit(0); state >= 0; state = sources[i].nextSetBit(state + 1)) {
                silentSteps[state] = silentSteps[state] == null ? new BitSet() : silentSteps[state];
                silentSteps[state].set(grammar.step(state, symbols[i]));
                silent.set(state);
            }
        }
        start.set(grammar.getInitialState());
        close(start); // a new word may begin with tokens without a character too
        everywhere.set(0, grammar.getSize());
    }

    /**
     * How many characters of a text the grammar can follow, at best, whatever comes after them. A word may begin in the
     * middle of another one (inverted names put parts in front of it), and a new word may begin wherever one may end.
     */
    int of(String text) {
        String lower = StringTools.lowerCaseAsciiString(text);
        int length = text.length();
        BitSet[] at = new BitSet[length + 1];
        for (int i = 1; i <= length; i++) {
            at[i] = new BitSet();
        }
        at[0] = everywhere; // all that may be added to it is in it
        int reached = 0;
        for (int from = 0; from <= length; from++) {
            if (at[from].isEmpty()) {
                continue;
            }
            reached = Math.max(reached, from);
            if (from > 0) {
                close(at[from]);
            }
            if (at[from].intersects(accepting)) {
                at[from].or(start);
                for (String phrase : PHRASES) {
                    reached = Math.max(reached, from + shared(lower, from, phrase));
                }
                if (from < length && text.charAt(from) == '-') {
                    BitSet ended = (BitSet) at[from].clone();
                    ended.and(accepting);
                    at[from + 1].or(ended);
                    at[from + 1].set(grammar.getInitialState());
                }
            }
            reached = follow(text, lower, from, at, reached);
        }
        return Math.min(reached, length);
    }

    /** Takes every token that begins here; the new value of what is reached. */
    private int follow(String text, String lower, int from, BitSet[] at, int reached) {
        List<BitSet> ends = new ArrayList<>();
        int[] best = new int[symbols.length];
        for (int end = from + 1; end <= lower.length(); end++) {
            BitSet[] known = words.get(lower.substring(from, end));
            if (known == null) {
                break;
            }
            for (int symbol = known[0].nextSetBit(0); symbol >= 0; symbol = known[0].nextSetBit(symbol + 1)) {
                best[symbol] = end;
            }
            ends.add(known[1]);
        }
        for (int symbol = 0; symbol < symbols.length; symbol++) {
            int last = expressions[symbol] == null ? -1 : run(expressions[symbol], text, from, best, symbol);
            if ((last < from && best[symbol] <= from) || !at[from].intersects(sources[symbol])) {
                continue;
            }
            BitSet next = null;
            for (int end = from; end <= from + ends.size(); end++) {
                if (end == last || (end > from && ends.get(end - from - 1).get(symbol))) {
                    next = next == null ? step(at[from], symbol) : next;
                    at[end].or(next);
                }
            }
            if (last > from + ends.size()) {
                next = next == null ? step(at[from], symbol) : next;
                at[last].or(next);
            }
            reached = Math.max(reached, best[symbol]);
        }
        return reached;
    }

    /** The end of the longest match of an expression, or -1; how far a match may begin is put into {@code best}. */
    private static int run(RunAutomaton expression, String text, int from, int[] best, int symbol) {
        int state = expression.getInitialState();
        int last = -1;
        for (int end = from; state != -1; end++) {
            best[symbol] = Math.max(best[symbol], end);
            last = expression.isAccept(state) ? end : last;
            if (end == text.length()) {
                break;
            }
            state = expression.step(state, text.charAt(end));
        }
        return last;
    }

    private BitSet step(BitSet states, int symbol) {
        if (states == everywhere) {
            return steps[symbol];
        }
        BitSet next = new BitSet();
        if (states.intersects(sources[symbol])) {
            BitSet open = (BitSet) states.clone();
            open.and(sources[symbol]);
            for (int state = open.nextSetBit(0); state >= 0; state = open.nextSetBit(state + 1)) {
                next.set(grammar.step(state, symbols[symbol]));
            }
        }
        return next;
    }

    /** Adds the states that tokens without a character lead to. */
    private void close(BitSet states) {
        BitSet added = states;
        while (added.intersects(silent)) {
            BitSet open = (BitSet) added.clone();
            open.and(silent);
            BitSet next = new BitSet();
            for (int state = open.nextSetBit(0); state >= 0; state = open.nextSetBit(state + 1)) {
                next.or(silentSteps[state]);
            }
            next.andNot(states);
            states.or(next);
            added = next;
        }
    }

    private static int shared(String text, int from, String phrase) {
        int length = 0;
        while (length < phrase.length() && from + length < text.length() && text.charAt(from + length) == phrase.charAt(length)) {
            length++;
        }
        return length;
    }

    /** Enters every word of a kind, and every beginning of one: which kinds have words that begin so, and that are so. */
    private void collect(OpsinTrieNode node, String before, int symbol) {
        String here = before + node.getValue();
        for (int end = before.length() + 1; end <= here.length(); end++) {
            words.computeIfAbsent(here.substring(0, end), key -> new BitSet[] {new BitSet(), new BitSet()})[0].set(symbol);
        }
        if (node.isEndPoint() && here.isEmpty()) {
            emptyTokens.set(symbol);
        } else if (node.isEndPoint()) {
            words.get(here)[1].set(symbol);
        }
        for (OpsinTrieNode child : (OpsinTrieNode[]) NameServer.hidden(OpsinTrieNode.class, "children", node)) {
            if (child != null) {
                collect(child, here, symbol);
            }
        }
    }
}
