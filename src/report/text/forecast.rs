//! A forecast in words, always with what it rests on.

use crate::format::about;
use crate::model::Forecast;

/// `is full in about 9 days (7 days to 14 days; 36 looks over 3 days)`.
pub fn describe_forecast(forecast: &Forecast) -> String {
    let full = about(forecast.full_in_seconds);
    let (earliest, latest) = (about(forecast.earliest_seconds), about(forecast.latest_seconds));
    let range =
        if earliest == latest { String::new() } else { format!("{earliest} to {latest}; ") };
    let (looks, over) = (forecast.looks, about(forecast.over_seconds));
    format!("is full in about {full} ({range}{looks} looks over {over})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_says_what_it_rests_on() {
        let day = 86_400;
        let mut forecast = Forecast {
            full_in_seconds: 9 * day,
            earliest_seconds: 7 * day,
            latest_seconds: 14 * day,
            looks: 36,
            over_seconds: 3 * day,
        };
        let words = "is full in about 9 days (7 days to 14 days; 36 looks over 3 days)";
        assert_eq!(describe_forecast(&forecast), words);
        forecast.earliest_seconds = 9 * day;
        forecast.latest_seconds = 9 * day + 5;
        assert_eq!(describe_forecast(&forecast), "is full in about 9 days (36 looks over 3 days)");
    }
}
