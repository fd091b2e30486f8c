package uk.ac.cam.ch.wwmm.opsin;

/** Numbers the atoms that OPSIN makes, up to a limit: a short name may mean a hundred thousand. */
final class AtomLimit extends IDManager {
    private final int most;
    private final IDManager together;

    /** Those are numbered by {@code together} too, unless it is null. */
    AtomLimit(int most, IDManager together) {
        this.most = most;
        this.together = together;
    }

    @Override
    int getNextID() {
        if (getCurrentID() >= most) {
            throw new IllegalStateException("more than " + most + " atoms");
        }
        if (together != null) {
            together.getNextID();
        }
        return super.getNextID();
    }
}
