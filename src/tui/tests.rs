//! The screen as a whole: frames, journeys by keys.
