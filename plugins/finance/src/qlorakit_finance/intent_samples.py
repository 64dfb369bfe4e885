"""Rows written by hand for ``finance/intent``: two requests for each of its 77 intents."""

from collections.abc import Mapping

from qlorakit.task import Row

REQUESTS: Mapping[str, tuple[str, str]] = {
    "activate_my_card": (
        "My plastic came in the mail today, how do I switch it on?",
        "Where in the menu do I enable the card I just received?",
    ),
    "age_limit": (
        "Could my fifteen-year-old daughter open an account with you?",
        "How old must someone be to sign up?",
    ),
    "apple_pay_or_google_pay": (
        "Can I add this account to the wallet on my iPhone?",
        "Setting up Google Pay fails at the last step, what should I do?",
    ),
    "atm_support": (
        "Which cash machines take your cards?",
        "Is the machine at the railway station good for getting notes out with this?",
    ),
    "automatic_top_up": (
        "I want money added by itself whenever I drop below twenty pounds.",
        "How do I turn off the feature that refills my balance on its own?",
    ),
    "balance_not_updated_after_bank_transfer": (
        "I wired my savings over from another bank and the total here has not moved.",
        "A transfer I made to my own account on Monday still isn't in the balance.",
    ),
    "balance_not_updated_after_cheque_or_cash_deposit": (
        "The cheque I handed in last week does not show in my funds.",
        "I paid in a stack of notes at the counter yet my balance is as before.",
    ),
    "beneficiary_not_allowed": (
        "The app says I may not add my landlord as a recipient.",
        "Why am I told that this payee is not permitted?",
    ),
    "cancel_transfer": (
        "Please stop the payment I sent five minutes ago, it went to the wrong person.",
        "Is it possible to call back money that I just transferred?",
    ),
    "card_about_to_expire": (
        "My card runs out at the end of next month, will a new one come by itself?",
        "What happens when the date printed on the front has passed?",
    ),
    "card_acceptance": (
        "Do small shops abroad generally take this card?",
        "Where can I pay with it and where will I be turned away?",
    ),
    "card_arrival": (
        "It has been nine days and nothing in the letterbox, where's my card?",
        "Has the card you posted to me got lost on its way?",
    ),
    "card_delivery_estimate": (
        "When should I expect a new card if I order tonight?",
        "How many days does the post usually take to bring cards to Malta?",
    ),
    "card_linking": (
        "I found the card I had reported missing, can I put it back into the app?",
        "How do I connect an existing card to my profile?",
    ),
    "card_not_working": (
        "Nothing happens with my card in any shop, is it broken?",
        "The chip seems dead, every terminal rejects it since this morning.",
    ),
    "card_payment_fee_charged": (
        "Buying a train ticket cost me a fee, why?",
        "You took an extra 90 cents for paying by card at a petrol station.",
    ),
    "card_payment_not_recognised": (
        "There is a purchase at a shoe store on my list that I never made.",
        "Somebody bought something online with my card and it was not me.",
    ),
    "card_payment_wrong_exchange_rate": (
        "My dinner in Prague was converted at a bad rate.",
        "The rate used for the souvenir I bought overseas doesn't match the official one.",
    ),
    "card_swallowed": (
        "The machine at the mall kept my card and closed its slot.",
        "It went into the slot at the airport and never came out again.",
    ),
    "cash_withdrawal_charge": (
        "Why did taking out 50 euros cost me two more?",
        "Is there a fee each time I draw cash?",
    ),
    "cash_withdrawal_not_recognised": (
        "According to the app someone took 200 out of a machine in a town I've never visited.",
        "I see a withdrawal from Sunday that I know nothing about.",
    ),
    "change_pin": (
        "I would like to pick another four-digit code for my card.",
        "Does every cash dispenser let me replace my secret number?",
    ),
    "compromised_card": (
        "I think a waiter copied my card details.",
        "Someone else seems to have my card number, please help me secure it.",
    ),
    "contactless_not_working": (
        "Tapping at the till does nothing, I have to insert the card.",
        "Why won't it let me pay by holding it near the reader?",
    ),
    "country_support": (
        "I live in Iceland, may I become a customer?",
        "In which parts of the world do you offer accounts?",
    ),
    "declined_card_payment": (
        "The supermarket terminal refused me although I have funds.",
        "My online order failed because the card was declined.",
    ),
    "declined_cash_withdrawal": (
        "The ATM would not give me any money and showed an error.",
        "I tried three machines and each of them turned down my request for cash.",
    ),
    "declined_transfer": (
        "You rejected the money I was sending to my brother.",
        "Why does it say declined next to the transfer I set up?",
    ),
    "direct_debit_payment_not_recognised": (
        "A gym I never joined collects money from my account every month.",
        "I did not authorise the debit that a phone company took yesterday.",
    ),
    "disposable_card_limits": (
        "How many single-use cards may I create in a day?",
        "What is the maximum I can spend with a throwaway card?",
    ),
    "edit_personal_details": (
        "I got married and need my surname changed.",
        "Where do I enter my new home address?",
    ),
    "exchange_charge": (
        "What do you charge for turning dollars into yen?",
        "Is swapping currencies free with you or does it cost something?",
    ),
    "exchange_rate": (
        "How do you work out what a pound is worth in kroner?",
        "Which rate will I get if I convert on a weekend?",
    ),
    "exchange_via_app": (
        "Can I trade my euros for francs on my phone?",
        "Show me how to swap one currency for another in the application.",
    ),
    "extra_charge_on_statement": (
        "There is an odd one-pound item on my statement, what is that?",
        "I was billed a little more than the receipt says, where does the surplus come from?",
    ),
    "failed_transfer": (
        "Sending rent keeps ending in an error and nothing leaves my account.",
        "I sent money to my tailor and it fell through, have you any idea what went wrong?",
    ),
    "fiat_currency_support": (
        "Which currencies can I hold with you?",
        "Do you deal in Turkish lira?",
    ),
    "get_disposable_virtual_card": (
        "I want a card number that works for one purchase only, how do I make one?",
        "Tell me the steps for creating a throwaway card for a web shop.",
    ),
    "get_physical_card": (
        "So far I only have the card in the app, can I have a real one too?",
        "Where do I find the code that comes with my plastic card?",
    ),
    "getting_spare_card": (
        "May I have a second card on the same account for my partner?",
        "I'd like an additional one to keep at home as a backup.",
    ),
    "getting_virtual_card": (
        "How do I obtain a card that exists on screen only?",
        "I would prefer a digital card over a plastic one, is that offered?",
    ),
    "lost_or_stolen_card": (
        "My purse is gone and the card was inside.",
        "I left my card on a bus, please block it.",
    ),
    "lost_or_stolen_phone": (
        "Someone snatched my mobile, can they get into my account?",
        "I dropped my phone into the sea, how do I log in now?",
    ),
    "order_physical_card": (
        "Please send a plastic card to my flat, what will it cost?",
        "How can I request that you mail me a card?",
    ),
    "passcode_forgotten": (
        "I can't remember the code that opens the app.",
        "Help, the password for signing in has slipped my mind.",
    ),
    "pending_card_payment": (
        "The hotel payment has been marked as pending since Tuesday.",
        "When will my purchase at the bookshop stop being in progress?",
    ),
    "pending_cash_withdrawal": (
        "I got my notes hours ago and the withdrawal still is not final.",
        "Why is the money I took from the machine shown as waiting?",
    ),
    "pending_top_up": (
        "The amount I loaded is stuck, it says processing.",
        "How long until a top-up that is on hold becomes usable?",
    ),
    "pending_transfer": (
        "The transfer to my accountant has not left the queue, is that normal?",
        "My outgoing payment to Spain has been hanging there all day.",
    ),
    "pin_blocked": (
        "I typed my PIN wrongly three times and now it is locked.",
        "Too many wrong tries, and every till refuses my code from now on.",
    ),
    "receiving_money": (
        "How can my employer pay wages into this account?",
        "What details must a friend have to send me funds in dollars?",
    ),
    "Refund_not_showing_up": (
        "The shop says it returned my money a week ago but I can't see it.",
        "Where is the refund for the boots I sent back?",
    ),
    "request_refund": (
        "I'd like my money back for a concert that was called off.",
        "The vase came in pieces, can you help me claim what I paid?",
    ),
    "reverted_card_payment?": (
        "A payment I made at lunch was undone, and the sum is in my account again.",
        "Why did my purchase bounce back after it had been accepted?",
    ),
    "supported_cards_and_currencies": (
        "May I load funds from an American credit card in dollars?",
        "Tell me which kinds of cards and which money I can add from.",
    ),
    "terminate_account": (
        "I no longer need your service, please close everything.",
        "What must I do to leave you and delete my profile?",
    ),
    "top_up_by_bank_transfer_charge": (
        "Do I pay anything if I add money by wire from my old bank?",
        "Is there a cost for SEPA payments that fill up my account?",
    ),
    "top_up_by_card_charge": (
        "You kept a part of what I added with my credit card, why?",
        "Does loading from a debit card cost a fee?",
    ),
    "top_up_by_cash_or_cheque": (
        "Can I bring coins and notes somewhere to put on my account?",
        "I still have a paper cheque from my aunt, will you take it to fill my account?",
    ),
    "top_up_failed": (
        "Adding 100 to my balance did not work, it only showed a red cross.",
        "My attempt to load the account was refused, what's the reason?",
    ),
    "top_up_limits": (
        "What's the most I may add in one week?",
        "Is there a ceiling on how much I can load at a time?",
    ),
    "top_up_reverted": (
        "The sum I added this morning has been taken out again.",
        "I loaded 40 pounds, saw them arrive, and then the load was cancelled.",
    ),
    "topping_up_by_card": (
        "How do I add money from the debit card of another bank?",
        "I wish to load my balance with my Maestro, explain how.",
    ),
    "transaction_charged_twice": (
        "One coffee, two identical bookings on my list.",
        "The garage took the same sum from me double.",
    ),
    "transfer_fee_charged": (
        "Three pounds went missing when I sent money to Poland, is that your fee?",
        "Why was I billed for a simple transfer to my sister?",
    ),
    "transfer_into_account": (
        "What are the ways to move funds from elsewhere to here by bank transfer?",
        "I want to bring my savings over to you, which number do I give my bank?",
    ),
    "transfer_not_received_by_recipient": (
        "My nephew says that what I sent him on Friday never reached him.",
        "The plumber still waits for the money, though you show it as done.",
    ),
    "transfer_timing": (
        "If I send euros to Greece now, on which day will they be there?",
        "How quick are transfers between two banks in the same country?",
    ),
    "unable_to_verify_identity": (
        "Your system refuses the picture of my passport again and again.",
        "I cannot get past the identity check, my selfie is not accepted.",
    ),
    "verify_my_identity": (
        "Which papers do you want to see to prove who I am?",
        "Walk me through proving that I am the person on my passport.",
    ),
    "verify_source_of_funds": (
        "Why do you ask where my money comes from?",
        "What can I show you as evidence that I inherited this sum?",
    ),
    "verify_top_up": (
        "Where do I enter the code for confirming the card I load from?",
        "The app wants me to confirm the amount I added, how is that done?",
    ),
    "virtual_card_not_working": (
        "The digital card in my app is refused by a streaming site.",
        "My on-screen card number gets me nowhere when I shop on the web.",
    ),
    "visa_or_mastercard": (
        "Is the card you issue a Visa?",
        "I'd rather have Mastercard, do I get to choose?",
    ),
    "why_verify_identity": (
        "What is the point of all these identity checks?",
        "Must I really prove who I am before using the account, and for what purpose?",
    ),
    "wrong_amount_of_cash_received": (
        "I asked the machine for 100 and it handed me 80.",
        "The notes I got from the ATM were fewer than what was booked.",
    ),
    "wrong_exchange_rate_for_cash_withdrawal": (
        "Drawing pesos in Mexico was reckoned at a rate far off the usual one.",
        "Why did I lose so much on the conversion when I took out money on holiday?",
    ),
}

INTENT_SAMPLES: tuple[Row, ...] = tuple(
    {"text": text, "label": label}
    for place in range(2)
    for label, texts in REQUESTS.items()
    for text in (texts[place],)
)
